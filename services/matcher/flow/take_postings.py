"""Group `matcher.postings`: learns what became of postings, so that a posted supplier invoice belongs to its bill.

What was posted is a fact, and goes before every match: a bill that the model had matched to that supplier invoice
loses it and is decided again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from libs.bus.port import Subscription
from libs.contracts.envelope import Envelope
from libs.contracts.events import PostIntended, PostRejected, PostSettled, PostWithdrawn
from libs.contracts.identity import provider_id_of
from libs.database.port import Transaction
from libs.eventlog.port import Delivery
from services.matcher.domain.standing import BillRow, refused, settled
from services.matcher.ports import Claim, DecisionStore, RecordStore

GROUP = "matcher.postings"


class TakePostings:
    """The handler of the group."""

    def __init__(self, records: RecordStore, decisions: DecisionStore) -> None:
        self._records = records
        self._decisions = decisions

    @property
    def subscription(self) -> Subscription:
        """The group, as the bus runs it."""
        return Subscription(GROUP, frozenset({"qonto.posted.v1"}), self.handle)

    async def handle(self, tx: Transaction, batch: Sequence[Delivery]) -> Sequence[Envelope]:
        """Take a batch of outcomes; it leads to no event of its own."""
        events = [delivery.envelope for delivery in batch]
        rows = await self._records.hold_bills(tx, sorted({provider_id_of(event.record) for event in events}))
        claims: dict[str, Claim] = {}
        causes: dict[str, UUID] = {}
        for event in events:
            id_ = provider_id_of(event.record)
            if id_ not in rows:
                continue
            rows[id_] = await self._after(tx, rows[id_], event)
            if isinstance(event.payload, PostSettled):
                claims[event.payload.invoice_id] = Claim(event.payload.invoice_id, id_, "posted")
                causes[event.payload.invoice_id] = event.id
        await self._records.put_bills(tx, list(rows.values()))
        await self._hand_over(tx, claims, causes)
        return ()

    async def _after(self, tx: Transaction, row: BillRow, event: Envelope) -> BillRow:
        payload = event.payload
        if isinstance(payload, PostIntended):
            return replace(row, posting="open", posting_generation=payload.generation)
        if isinstance(payload, PostRejected):
            standing = await self._decisions.decisions(tx, {row.bill_id: row.generation})
            return refused(row, standing.get(row.bill_id))
        if isinstance(payload, PostWithdrawn):
            return replace(row, posting="withdrawn")
        if isinstance(payload, PostSettled):
            carried_out = await self._decisions.decisions(tx, {row.bill_id: row.posting_generation})
            return settled(row, payload.invoice_id, carried_out.get(row.bill_id), event.id, event.occurred_at)
        return row

    async def _hand_over(self, tx: Transaction, claims: dict[str, Claim], causes: dict[str, UUID]) -> None:
        """Give the posted supplier invoices to their bills, and open the bills that had them before."""
        lost = await self._decisions.seize(tx, [claims[id_] for id_ in sorted(claims)])
        await self._records.open_bills(tx, {bill_id: causes[id_] for id_, bill_id in sorted(lost.items())})
