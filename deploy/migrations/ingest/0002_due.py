"""The role that carries logs may see whose rows of jobs there are and when they are due."""

from deploy.migrations.sql import run_beside

revision = "ingest_0002"
down_revision = "ingest_0001"


def upgrade() -> None:
    """Let it see these columns and no other."""
    run_beside(__file__)
