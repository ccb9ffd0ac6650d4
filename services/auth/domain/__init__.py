"""What auth decides, without I/O: consents under way, connections and their tokens."""
