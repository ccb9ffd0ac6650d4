"""The jobs of the audit."""
