"""Documents by their SHA-256 address, sealed."""
