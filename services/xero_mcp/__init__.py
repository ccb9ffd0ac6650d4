"""A read-only MCP server for Xero, and the authorization server of its clients."""
