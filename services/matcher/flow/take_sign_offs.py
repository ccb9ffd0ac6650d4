"""Group `matcher.sign_offs`: takes what people answered, and makes the answered bills due.

An answer counts when it was given to the standing decision. One that was given to an earlier decision is passed over:
the person saw something that is no longer so, and the newer decision waits for them in the queue.
"""

from __future__ import annotations

from collections.abc import Sequence

from libs.bus.port import Subscription
from libs.contracts.envelope import Envelope
from libs.contracts.events import SignedOff
from libs.contracts.identity import provider_id_of
from libs.database.port import Transaction
from libs.eventlog.port import Delivery
from services.matcher.domain.standing import signed_off
from services.matcher.ports import RecordStore

GROUP = "matcher.sign_offs"


class TakeSignOffs:
    """The handler of the group."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records

    @property
    def subscription(self) -> Subscription:
        """The group, as the bus runs it."""
        return Subscription(GROUP, frozenset({"match.signed_off.v1"}), self.handle)

    async def handle(self, tx: Transaction, batch: Sequence[Delivery]) -> Sequence[Envelope]:
        """Take a batch of answers; it leads to no event of its own."""
        events = [delivery.envelope for delivery in batch]
        rows = await self._records.hold_bills(tx, sorted({provider_id_of(event.record) for event in events}))
        changed = {}
        for event in events:
            id_ = provider_id_of(event.record)
            row, said = rows.get(id_), event.payload
            if row is not None and isinstance(said, SignedOff) and said.generation == row.generation:
                changed[id_] = signed_off(row, said.answer, said.invoice_id, event.id)
        await self._records.put_bills(tx, list(changed.values()))
        return ()
