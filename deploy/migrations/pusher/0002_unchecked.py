"""A posting that Qonto has, and that could not be compared with what Qonto read."""

from deploy.migrations.sql import run_beside

revision = "pusher_0002"
down_revision = "pusher_0001"


def upgrade() -> None:
    """Add the state."""
    run_beside(__file__)
