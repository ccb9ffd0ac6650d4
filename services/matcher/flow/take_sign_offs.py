"""Group `matcher.sign_offs`: takes what people answered, and makes the answered bills due.

An answer counts when it was given to the standing decision, and for the bill as that decision saw it: one that was
edited meanwhile and not decided since is not the one that the person saw. An answer to an earlier decision is passed
over, for the same reason; the newer decision waits for them in the queue.
"""

from __future__ import annotations

from collections.abc import Sequence

from libs.bus.port import Subscription
from libs.contracts.envelope import Envelope
from libs.contracts.events import SignedOff
from libs.contracts.identity import provider_id_of
from libs.database.port import Transaction
from libs.eventlog.port import Delivery
from services.matcher.domain.sign_off import Answer
from services.matcher.domain.standing import signed_off
from services.matcher.ports import DecisionStore, RecordStore

GROUP = "matcher.sign_offs"


class TakeSignOffs:
    """The handler of the group."""

    def __init__(self, records: RecordStore, decisions: DecisionStore) -> None:
        self._records = records
        self._decisions = decisions

    @property
    def subscription(self) -> Subscription:
        """The group, as the bus runs it."""
        return Subscription(GROUP, frozenset({"match.signed_off.v1"}), self.handle)

    async def handle(self, tx: Transaction, batch: Sequence[Delivery]) -> Sequence[Envelope]:
        """Take a batch of answers; it leads to no event of its own."""
        events = [delivery.envelope for delivery in batch]
        rows = await self._records.hold_bills(tx, sorted({provider_id_of(event.record) for event in events}))
        standing = await self._decisions.decisions(tx, {id_: row.generation for id_, row in rows.items()})
        changed = {}
        for event in events:
            id_ = provider_id_of(event.record)
            decision, said = standing.get(id_), event.payload
            if decision is not None and isinstance(said, SignedOff) and said.generation == decision.generation:
                answer = Answer(said.answer, decision.bill_sha256, said.invoice_id)
                changed[id_] = signed_off(rows[id_], answer, event.id)
        await self._records.put_bills(tx, list(changed.values()))
        return ()
