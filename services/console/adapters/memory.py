"""The console's rows in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from libs.database.memory import table_of
from libs.database.port import Transaction
from services.console.domain.view import BillView
from services.console.ports import PAGE_MAX

_TABLE: Final = "console.bill_view"


class MemoryViewStore:
    """The views of a workspace's bills, by record."""

    async def load(self, tx: Transaction, records: Sequence[str]) -> Mapping[str, BillView]:
        """The views of these records that there are."""
        rows = table_of(tx, _TABLE)
        return {record: rows[record] for record in records if record in rows}

    async def save(self, tx: Transaction, views: Sequence[BillView]) -> None:
        """Keep views in place of what was there."""
        table_of(tx, _TABLE).update({view.record: view for view in views})

    async def waiting(self, tx: Transaction, *, limit: int) -> Sequence[BillView]:
        """Bills that wait for a person, longest first."""
        waiting = [view for view in table_of(tx, _TABLE).values() if view.waits]
        return sorted(waiting, key=lambda view: (view.changed_at, view.record))[: min(limit, PAGE_MAX)]

    async def count_waiting(self, tx: Transaction) -> int:
        """How many bills wait for a person."""
        return sum(view.waits for view in table_of(tx, _TABLE).values())

    async def numbered(self, tx: Transaction, number: str) -> Sequence[BillView]:
        """Bills with this number, whatever its case."""
        views = table_of(tx, _TABLE).values()
        same = [view for view in views if view.bill and (view.bill.number or "").upper() == number.upper()]
        return sorted(same, key=lambda view: view.record)[:PAGE_MAX]
