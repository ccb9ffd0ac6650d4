"""The rows of the console, in Postgres and in memory."""
