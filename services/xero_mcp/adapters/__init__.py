"""How xero_mcp meets Postgres and its twin in memory."""
