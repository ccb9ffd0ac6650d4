"""Carrying events from logs to consumers; embedded here, Kafka beside it later, one contract for both."""
