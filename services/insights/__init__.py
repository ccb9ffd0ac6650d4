"""Figures of each workspace by the hour, kept from the topics. Nothing decides on them."""
