"""What the relay is asked to send again."""

from deploy.migrations.sql import sent_again

revision = "auth_0007"
down_revision = "auth_0006"


def upgrade() -> None:
    """Make its table."""
    sent_again("auth")
