"""What the Kafka transport remembers."""

from deploy.migrations.sql import kafka_places

revision = "matcher_0004"
down_revision = "matcher_0003"


def upgrade() -> None:
    """Make its tables."""
    kafka_places("matcher")
