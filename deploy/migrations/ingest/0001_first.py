"""First tables of ingest."""

from deploy.migrations.sql import event_log, run_beside

revision = "ingest_0001"
down_revision = None


def upgrade() -> None:
    """Make the schema, its log and its tables."""
    event_log("ingest")
    run_beside(__file__)
