"""What the relay is asked to send again."""

from deploy.migrations.sql import sent_again

revision = "matcher_0006"
down_revision = "matcher_0005"


def upgrade() -> None:
    """Make its table."""
    sent_again("matcher")
