"""Carrying events from logs to consumers: embedded, or over Kafka; one contract for both."""
