"""The rules of matching. Pure: no clock, no I/O, no chance."""
