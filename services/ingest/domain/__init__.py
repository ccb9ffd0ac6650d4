"""The rules of ingest: pure, without clock or I/O."""
