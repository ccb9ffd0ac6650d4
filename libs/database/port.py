"""The one way to rows: a transaction of one workspace.

Words:
    *transaction*: both or neither of everything done in it; it belongs to exactly one workspace, and no row of another
    can be read or written in it.
    *store*: a service's own reading and writing of its rows. A store takes a transaction and never opens one, so that
    a flow can put state, events and position into one.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol
from uuid import UUID


class Transaction(Protocol):
    """A transaction of one workspace. Stores ask for the form they speak through `connection_of` or `table_of`."""

    @property
    def workspace(self) -> UUID:
        """Whose rows these are."""
        ...


class Database(Protocol):
    """Opens transactions as the role of one service."""

    def transaction(self, workspace: UUID) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that commits when the block ends and rolls back when it raises.

        Raises:
            Transient: The database could not be reached, or the transaction lost a race and may be tried again.
            Malformed: `not_storable` when a value was handed to it that no column can hold.
        """
        ...


class TableTransaction(Transaction, Protocol):
    """What the twin in memory adds: named tables of this workspace, as they are inside the transaction."""

    def table(self, name: str) -> MutableMapping[Any, Any]:
        """The rows of a table by primary key. Changes count when the transaction commits; values must be immutable."""
        ...
