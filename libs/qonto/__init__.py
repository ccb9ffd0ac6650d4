"""Qonto: a thin client, what its answers look like, and a stand-in server that behaves as Qonto is documented to."""
