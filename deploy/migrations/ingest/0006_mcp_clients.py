"""Registrations by issuer, and turns at refreshing a grant."""

from deploy.migrations.sql import run_beside

revision = "ingest_0006"
down_revision = "ingest_0005"


def upgrade() -> None:
    """Make the table, and add the column."""
    run_beside(__file__)
