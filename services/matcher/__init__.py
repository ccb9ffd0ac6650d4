"""Decides what shall happen to each bill: link, post, ask a person, or leave alone."""
