"""A key for each purpose, and workspaces that were erased."""

from deploy.migrations.sql import run_beside

revision = "auth_0006"
down_revision = "auth_0005"


def upgrade() -> None:
    """Change the tables of keys and of workspaces."""
    run_beside(__file__)
