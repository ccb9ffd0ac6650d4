"""The rules of a posting. Pure: no async, no clock, no I/O."""
