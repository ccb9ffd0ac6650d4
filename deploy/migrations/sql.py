"""What a migration may call: the SQL file beside it, and the tables of an event log."""

from __future__ import annotations

from pathlib import Path

from alembic import op

_EVENT_LOG = Path(__file__).parents[2] / "libs" / "eventlog" / "schema.sql"


def run_beside(migration: str) -> None:
    """Run the `.sql` file that has the migration's own name."""
    _run(Path(migration).with_suffix(".sql").read_text(encoding="utf-8"))


def event_log(service: str) -> None:
    """Make the log of a service: its events, its heads and the positions of its groups."""
    _run(_EVENT_LOG.read_text(encoding="utf-8").replace("{service}", service))


def _run(sql: str) -> None:
    op.get_bind().exec_driver_sql(sql)
