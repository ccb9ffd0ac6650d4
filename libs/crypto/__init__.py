"""Sealing: workspace data keys, what is sealed where, and the key-encryption key behind a port."""
