"""What the Kafka transport remembers."""

from deploy.migrations.sql import kafka_places

revision = "auth_0005"
down_revision = "auth_0004"


def upgrade() -> None:
    """Make its tables."""
    kafka_places("auth")
