"""The Kafka transport: topics, the relay that publishes the logs, and the consumers that read them."""
