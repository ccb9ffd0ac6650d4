"""The published language of Well: what services say to each other. Pure, and imports nothing of ours."""
