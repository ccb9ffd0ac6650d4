"""The jobs of the console."""
