"""What providers answered with 401, counted over all processes."""

from deploy.migrations.sql import run_beside

revision = "auth_0008"
down_revision = "auth_0007"


def upgrade() -> None:
    """Make the table."""
    run_beside(__file__)
