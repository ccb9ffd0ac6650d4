"""The twin in memory: the same promises as Postgres, for tests that ask thousands of questions a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from libs.database.port import Transaction


class MemoryTables:
    """What is committed: rows by (workspace, table). One of these stands for one database server."""

    def __init__(self) -> None:
        self.rows: dict[tuple[UUID, str], dict[Any, Any]] = {}
        self.turn = asyncio.Lock()


class MemoryTransaction:
    """A transaction over copies of the tables it touches, put in place when it commits."""

    def __init__(self, tables: MemoryTables, workspace: UUID) -> None:
        self._tables = tables
        self._workspace = workspace
        self._touched: dict[str, dict[Any, Any]] = {}

    @property
    def workspace(self) -> UUID:
        """Whose rows these are."""
        return self._workspace

    def table(self, name: str) -> MutableMapping[Any, Any]:
        """The rows of a table by primary key. Changes count when the transaction commits; values must be immutable."""
        if name not in self._touched:
            self._touched[name] = dict(self._tables.rows.get((self._workspace, name), {}))
        return self._touched[name]

    def commit(self) -> None:
        """Put every touched table in place."""
        for name, rows in self._touched.items():
            self._tables.rows[self._workspace, name] = rows


class MemoryDatabase:
    """Transactions one after the other, which is the strongest isolation there is.

    Notes:
        Unlike Postgres it never makes a race visible. Races are what the Postgres half of each suite is for.
    """

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self.tables = tables or MemoryTables()

    @asynccontextmanager
    async def transaction(self, workspace: UUID) -> AsyncIterator[MemoryTransaction]:
        """A transaction that commits when the block ends and rolls back when it raises."""
        async with self.tables.turn:
            tx = MemoryTransaction(self.tables, workspace)
            yield tx
            tx.commit()


def table_of(tx: Transaction, name: str) -> MutableMapping[Any, Any]:
    """A table of a transaction in memory.

    Raises:
        TypeError: The transaction is not one of ours in memory; the wiring mixed adapters.
    """
    if not isinstance(tx, MemoryTransaction):
        raise TypeError(f"a store in memory was given a {type(tx).__name__}")
    return tx.table(name)
