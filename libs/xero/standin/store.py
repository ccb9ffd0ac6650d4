"""The SQLite file under the stand-in. What was committed is there after kill -9."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import Final

_TABLES: Final = ("setting", "organisation", "consent", "connection", "code", "token", "record", "attachment")

BUSY_SECONDS: Final = 5.0
"""Seconds to wait for a predecessor that was just killed and whose lock the system is still taking away."""


class Store:
    """One connection, used from one event loop; statements are short, so they may block it.

    Args:
        path: A file, made when it is missing, or `:memory:`.
    """

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS)
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")  # a killed process loses nothing; a lost machine may
        self._database.executescript(files(__package__).joinpath("schema.sql").read_text())

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self._database.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[object] = ()) -> sqlite3.Row | None:
        """The first row of a query, if there is one."""
        found: sqlite3.Row | None = self._database.execute(sql, parameters).fetchone()
        return found

    def count(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """The number a counting query gives."""
        (number,) = self._database.execute(sql, parameters).fetchone()
        return int(number)

    def write(self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> int:
        """One statement; how many rows it changed. On its own it is committed at once."""
        return self._database.execute(sql, parameters).rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is written inside is kept as a whole, or not at all."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def empty(self) -> None:
        """Forget everything."""
        with self.transaction():
            for table in _TABLES:
                self._database.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the list above
