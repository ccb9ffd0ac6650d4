"""Positions by topic."""

from deploy.migrations.sql import positions_by_topic

revision = "pusher_0004"
down_revision = "pusher_0003"


def upgrade() -> None:
    """Change the log and its positions."""
    positions_by_topic("pusher")
