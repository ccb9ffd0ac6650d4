"""Which token bought which, so that a refresh token that comes back is known for a lost answer or a theft."""

from deploy.migrations.sql import run_beside

revision = "xero_mcp_0002"
down_revision = "xero_mcp_0001"


def upgrade() -> None:
    """Add the column."""
    run_beside(__file__)
