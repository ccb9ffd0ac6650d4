"""First tables of the console."""

from deploy.migrations.sql import event_log, run_beside

revision = "console_0001"
down_revision = None


def upgrade() -> None:
    """Make the schema, its log and its tables."""
    event_log("console")
    run_beside(__file__)
