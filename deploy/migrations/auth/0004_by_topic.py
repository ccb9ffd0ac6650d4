"""Positions by topic."""

from deploy.migrations.sql import positions_by_topic

revision = "auth_0004"
down_revision = "auth_0003"


def upgrade() -> None:
    """Change the log and its positions."""
    positions_by_topic("auth")
