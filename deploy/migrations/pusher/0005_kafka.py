"""What the Kafka transport remembers."""

from deploy.migrations.sql import kafka_places

revision = "pusher_0005"
down_revision = "pusher_0004"


def upgrade() -> None:
    """Make its tables."""
    kafka_places("pusher")
