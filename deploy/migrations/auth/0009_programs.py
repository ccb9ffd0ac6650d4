"""Programs that people allowed to read Xero, so that they can take it back from each."""

from deploy.migrations.sql import run_beside

revision = "auth_0009"
down_revision = "auth_0008"


def upgrade() -> None:
    """Make the table."""
    run_beside(__file__)
