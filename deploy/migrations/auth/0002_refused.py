"""A connection that is refused for now, with its tokens kept."""

from deploy.migrations.sql import run_beside

revision = "auth_0002"
down_revision = "auth_0001"


def upgrade() -> None:
    """Add the state and its times."""
    run_beside(__file__)
