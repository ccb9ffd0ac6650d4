"""How auth meets Postgres, its twin in memory, and the providers."""
