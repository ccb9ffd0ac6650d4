"""One file a consumer group or job."""
