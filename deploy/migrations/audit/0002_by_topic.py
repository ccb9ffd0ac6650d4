"""Positions by topic."""

from deploy.migrations.sql import positions_by_topic

revision = "audit_0002"
down_revision = "audit_0001"


def upgrade() -> None:
    """Change the log and its positions."""
    positions_by_topic("audit")
