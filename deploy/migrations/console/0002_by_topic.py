"""Positions by topic."""

from deploy.migrations.sql import positions_by_topic

revision = "console_0002"
down_revision = "console_0001"


def upgrade() -> None:
    """Change the log and its positions."""
    positions_by_topic("console")
