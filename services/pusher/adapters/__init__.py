"""Postgres and Qonto over HTTP, and their twins in memory."""
