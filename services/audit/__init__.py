"""The audit: the trail of every record, in order of cause."""
