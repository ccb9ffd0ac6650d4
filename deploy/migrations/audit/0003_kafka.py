"""What the Kafka transport remembers."""

from deploy.migrations.sql import kafka_places

revision = "audit_0003"
down_revision = "audit_0002"


def upgrade() -> None:
    """Make its tables."""
    kafka_places("audit")
