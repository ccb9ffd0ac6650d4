"""What xero_mcp does: authorize clients, wait for a turn, read Xero."""
