"""First tables of the matcher."""

from deploy.migrations.sql import event_log, run_beside

revision = "matcher_0001"
down_revision = None


def upgrade() -> None:
    """Make the schema, its log and its tables."""
    event_log("matcher")
    run_beside(__file__)
