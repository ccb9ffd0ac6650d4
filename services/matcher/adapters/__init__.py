"""The stores of the matcher: Postgres, and its twin in memory."""
