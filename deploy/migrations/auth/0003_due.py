"""The role that carries logs may see whose rows of jobs there are and when they are due."""

from deploy.migrations.sql import run_beside

revision = "auth_0003"
down_revision = "auth_0002"


def upgrade() -> None:
    """Let it see these columns and no other."""
    run_beside(__file__)
