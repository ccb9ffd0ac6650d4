"""What an installation needs besides the code."""
