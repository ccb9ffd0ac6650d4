"""Postgres, MCP and HTTP behind the ports, and their twins in memory."""
