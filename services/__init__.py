"""The services of Well. None imports another; they meet in events."""
