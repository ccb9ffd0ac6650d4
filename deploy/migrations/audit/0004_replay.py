"""What the relay is asked to send again."""

from deploy.migrations.sql import sent_again

revision = "audit_0004"
down_revision = "audit_0003"


def upgrade() -> None:
    """Make its table."""
    sent_again("audit")
