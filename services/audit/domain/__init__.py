"""The order and the words of a trail. Pure."""
