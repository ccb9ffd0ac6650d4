"""Browsers that are away to consent, so that any process may meet them."""

from deploy.migrations.sql import run_beside

revision = "ingest_0007"
down_revision = "ingest_0006"


def upgrade() -> None:
    """Make the table."""
    run_beside(__file__)
