"""What the relay is asked to send again."""

from deploy.migrations.sql import sent_again

revision = "console_0004"
down_revision = "console_0003"


def upgrade() -> None:
    """Make its table."""
    sent_again("console")
