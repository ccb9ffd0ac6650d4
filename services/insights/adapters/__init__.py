"""Faust, the keys of workspaces, and the twin in memory."""
