"""The console: what people see and answer. It reads events, never another service's tables."""
