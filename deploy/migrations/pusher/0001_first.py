"""First tables of the pusher."""

from deploy.migrations.sql import event_log, run_beside

revision = "pusher_0001"
down_revision = None


def upgrade() -> None:
    """Make the schema, its log and its tables."""
    event_log("pusher")
    run_beside(__file__)
