"""Postgres: the one way to a connection, its embedded server, its migrations; and a twin in memory."""
