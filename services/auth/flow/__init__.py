"""What auth does: keys, consents, lending, sign-in."""
