"""What a migration may call: the SQL file beside it, and the tables of an event log."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from libs.database.script import read_script, run_script

_EVENT_LOG = Path(__file__).parents[2] / "libs" / "eventlog"


def run_beside(migration: str) -> None:
    """Run the `.sql` file that has the migration's own name."""
    run_script(op.get_bind(), read_script(Path(migration).with_suffix(".sql")))


def event_log(service: str) -> None:
    """Make the log of a service: its events, its heads and the positions of its groups."""
    _run_of_log("schema.sql", service)


def positions_by_topic(service: str) -> None:
    """Let the groups of a service remember how far they are in each topic, and its events say what they are."""
    _run_of_log("by_topic.sql", service)


def kafka_places(service: str) -> None:
    """Let the relay of a log remember what it has published, and the groups of a service where they read on."""
    _run_of_log("kafka.sql", service)


def sent_again(service: str) -> None:
    """Let the relay of a log be asked to send events again."""
    _run_of_log("replay.sql", service)


def _run_of_log(file: str, service: str) -> None:
    run_script(op.get_bind(), read_script(_EVENT_LOG / file).replace("{service}", service))
