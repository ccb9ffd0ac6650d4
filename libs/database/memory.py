"""The twin in memory: the same promises as Postgres, for tests that ask thousands of questions a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from libs.database.growth import Growth
from libs.database.port import Transaction


class MemoryTables:
    """What is committed: rows by (workspace, table). One of these stands for one database server.

    Tables without a workspace column lie under None.
    """

    def __init__(self) -> None:
        self.rows: dict[tuple[UUID | None, str], dict[Any, Any]] = {}
        self.turn = asyncio.Lock()
        self.growth = Growth()


class MemoryTransaction:
    """A transaction over copies of the tables it touches, put in place when it commits."""

    def __init__(self, tables: MemoryTables, workspace: UUID) -> None:
        self._tables = tables
        self._workspace = workspace
        self._touched: dict[tuple[UUID | None, str], dict[Any, Any]] = {}

    @property
    def workspace(self) -> UUID:
        """Whose rows these are."""
        return self._workspace

    def table(self, name: str) -> MutableMapping[Any, Any]:
        """The rows of a table by primary key. Changes count when the transaction commits; values must be immutable."""
        return self._touch((self._workspace, name))

    def shared_table(self, name: str) -> MutableMapping[Any, Any]:
        """The rows of a table without a workspace column, such as a log's heads."""
        return self._touch((None, name))

    def commit(self) -> None:
        """Put every touched table in place."""
        self._tables.rows.update(self._touched)
        self._tables.growth.grew()

    def _touch(self, place: tuple[UUID | None, str]) -> dict[Any, Any]:
        if place not in self._touched:
            self._touched[place] = dict(self._tables.rows.get(place, {}))
        return self._touched[place]


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


def shared_table_of(tx: Transaction, name: str) -> MutableMapping[Any, Any]:
    """A table without a workspace column, of a transaction in memory.

    Raises:
        TypeError: The transaction is not one of ours in memory; the wiring mixed adapters.
    """
    return _ours(tx).shared_table(name)


def table_of(tx: Transaction, name: str) -> MutableMapping[Any, Any]:
    """A table of a transaction in memory.

    Raises:
        TypeError: The transaction is not one of ours in memory; the wiring mixed adapters.
    """
    return _ours(tx).table(name)


def _ours(tx: Transaction) -> MemoryTransaction:
    if not isinstance(tx, MemoryTransaction):
        raise TypeError(f"a store in memory was given a {type(tx).__name__}")
    return tx
