"""What the console needs: its own rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from libs.database.port import Transaction
from services.console.domain.view import BillView

PAGE_MAX: Final = 200
"""Bills a page of the queue at most: more than anybody reads in one sitting."""


class ViewStore(Protocol):
    """The views of a workspace's bills. What a customer wrote is sealed at rest."""

    async def load(self, tx: Transaction, records: Sequence[str]) -> Mapping[str, BillView]:
        """The views of these records that there are, held until the transaction ends."""
        ...

    async def save(self, tx: Transaction, views: Sequence[BillView]) -> None:
        """Keep views in place of what was there."""
        ...

    async def waiting(self, tx: Transaction, *, limit: int) -> Sequence[BillView]:
        """Bills that wait for a person, longest first."""
        ...

    async def count_waiting(self, tx: Transaction) -> int:
        """How many bills wait for a person."""
        ...

    async def numbered(self, tx: Transaction, number: str) -> Sequence[BillView]:
        """Bills with this number, whatever its case; at most `PAGE_MAX`."""
        ...
