"""Positions by topic."""

from deploy.migrations.sql import positions_by_topic

revision = "matcher_0003"
down_revision = "matcher_0002"


def upgrade() -> None:
    """Change the log and its positions."""
    positions_by_topic("matcher")
