"""What xero_mcp decides, without I/O: budgets, grants, what may register."""
