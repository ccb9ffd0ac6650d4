"""First tables of the audit."""

from deploy.migrations.sql import event_log

revision = "audit_0001"
down_revision = None


def upgrade() -> None:
    """Make the schema's log."""
    event_log("audit")
