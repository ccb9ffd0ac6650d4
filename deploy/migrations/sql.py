"""What a migration may call: the SQL file beside it, and the tables of an event log."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from libs.database.script import read_script, run_script

_EVENT_LOG = Path(__file__).parents[2] / "libs" / "eventlog" / "schema.sql"


def run_beside(migration: str) -> None:
    """Run the `.sql` file that has the migration's own name."""
    run_script(op.get_bind(), read_script(Path(migration).with_suffix(".sql")))


def event_log(service: str) -> None:
    """Make the log of a service: its events, its heads and the positions of its groups."""
    run_script(op.get_bind(), read_script(_EVENT_LOG).replace("{service}", service))
