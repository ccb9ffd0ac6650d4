"""What the relay is asked to send again."""

from deploy.migrations.sql import sent_again

revision = "ingest_0005"
down_revision = "ingest_0004"


def upgrade() -> None:
    """Make its table."""
    sent_again("ingest")
