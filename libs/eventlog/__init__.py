"""The event log: append with the state it explains and the position it was decided from, or not at all."""
