"""A whole SQL file at once, its percent signs left alone."""

from __future__ import annotations

import contextlib
from pathlib import Path

from sqlalchemy import Connection


def run_script(connection: Connection, script: str) -> None:
    """Run the statements of a script inside the connection's transaction.

    SQLAlchemy would hand the driver an empty list of parameters, and the driver would then look for placeholders.
    """
    with contextlib.closing(connection.connection.cursor()) as cursor:
        cursor.execute(script)


def read_script(path: Path) -> str:
    """The text of a script."""
    return path.read_text(encoding="utf-8")
