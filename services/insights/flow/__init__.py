"""Folding messages into the figures."""
