"""First tables of xero_mcp. It publishes no events, so it has no log."""

from deploy.migrations.sql import run_beside

revision = "xero_mcp_0001"
down_revision = None


def upgrade() -> None:
    """Make its tables."""
    run_beside(__file__)
