"""What is counted and how long stages take. Pure."""
