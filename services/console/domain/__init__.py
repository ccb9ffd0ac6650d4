"""What a bill looks like to a person, and what they may answer. Pure."""
