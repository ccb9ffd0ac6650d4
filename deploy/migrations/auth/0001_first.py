"""First tables of auth."""

from deploy.migrations.sql import event_log, run_beside

revision = "auth_0001"
down_revision = None


def upgrade() -> None:
    """Make the schema, its log and its tables."""
    event_log("auth")
    run_beside(__file__)
