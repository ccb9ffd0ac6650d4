"""What the Kafka transport remembers."""

from deploy.migrations.sql import kafka_places

revision = "ingest_0004"
down_revision = "ingest_0003"


def upgrade() -> None:
    """Make its tables."""
    kafka_places("ingest")
