"""Consents, tokens and workspace keys: the one service that holds secrets, and lends them for a call."""
