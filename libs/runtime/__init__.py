"""What every process of Well needs: time, settings, logs, health, limits."""
