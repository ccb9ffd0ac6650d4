"""When things were said and done, so that a decision can leave out what Well did after its bill came."""

from deploy.migrations.sql import run_beside

revision = "matcher_0005"
down_revision = "matcher_0004"


def upgrade() -> None:
    """Add the columns."""
    run_beside(__file__)
