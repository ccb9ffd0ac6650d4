"""What the Kafka transport remembers."""

from deploy.migrations.sql import kafka_places

revision = "console_0003"
down_revision = "console_0002"


def upgrade() -> None:
    """Make its tables."""
    kafka_places("console")
