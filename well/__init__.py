"""The command line and the process that runs every service at once."""
