"""What the stand-in holds, in one SQLite file that outlives the process, even one that is killed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

Row = sqlite3.Row
Value = str | int | bytes | None

_SCHEMA: Final = Path(__file__).with_name("schema.sql")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Store:
    """A connection to the file, for one process and one thread.

    Without a transaction every statement stands at once. Nothing is flushed to the disk (`synchronous=off`): what was
    written survives the death of the process, since the kernel has it, and not the loss of power.

    Args:
        path: The file, made when missing; `:memory:` for one that goes with the process.
    """

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("pragma journal_mode=wal")
        self._connection.execute("pragma synchronous=off")
        self._connection.executescript(_SCHEMA.read_text())

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing. Never across an `await`: the connection is shared."""
        self._connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    def run(self, sql: str, *values: Value) -> int:
        """Run one statement; answers with the number of rows it changed."""
        return self._connection.execute(sql, values).rowcount

    def run_many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        """Run one statement for each of the rows."""
        self._connection.executemany(sql, rows)

    def rows(self, sql: str, *values: Value) -> list[Row]:
        """All rows of a query."""
        return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Value) -> Row | None:
        """The first row of a query, or None."""
        found: Row | None = self._connection.execute(sql, values).fetchone()
        return found

    def count(self, sql: str, *values: Value) -> int:
        """The one number of a query."""
        found = self.row(sql, *values)
        return int(found[0]) if found is not None else 0

    def kept(self, name: str) -> str | None:
        """What is kept under a name in the table of settings."""
        row = self.row("select value from settings where name = ?", name)
        return None if row is None else str(row["value"])

    def keep(self, name: str, value: str) -> None:
        """Keep something under a name in the table of settings."""
        self.run("insert or replace into settings values (?, ?)", name, value)

    def empty(self) -> None:
        """Forget everything."""
        names = [row["name"] for row in self.rows("select name from sqlite_master where type = 'table'")]
        with self.transaction():
            for name in names:
                self.run(f'delete from "{name}"')  # noqa: S608  the names are those of our own schema


def micros_of(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(micros: int) -> datetime:
    """The instant, in UTC."""
    return _EPOCH + micros * _MICROSECOND


def written(moment: datetime) -> str:
    """An instant as Qonto writes it: to the second, with an offset. Source: "List supplier invoices", example."""
    return moment.isoformat(timespec="seconds")
