"""Group `matcher.entities`: learns bills and supplier invoices, and makes due the bills that a change touches.

A batch is dealt with in these steps:

1. Fold the batch into the newest state of each bill and supplier invoice.
2. Write them, and move their blocking keys.
3. Open the bills that wait and share a key with a supplier invoice that is new or has changed, and those that wait
   beside a bill that went away; open the bill that a changed supplier invoice was matched to.
4. Note the barriers, last: who sees a complete window has everything before it.

It decides nothing and says nothing: its events are the decisions, which `decide` makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from libs.bus.port import Subscription
from libs.contracts.entities import Bill, QontoInvoice
from libs.contracts.envelope import Envelope
from libs.contracts.events import EntityMalformed, EntityNormalized, EntityWithdrawn, WindowNormalized
from libs.contracts.identity import provider_id_of
from libs.database.port import Transaction
from libs.eventlog.port import Delivery
from services.matcher.domain.standing import BillRow, InvoiceRow, learnt
from services.matcher.ports import Barrier, DecisionStore, KeyChange, RecordStore, WindowStore

GROUP = "matcher.entities"


class LearnEntities:
    """The handler of the group."""

    def __init__(self, records: RecordStore, decisions: DecisionStore, windows: WindowStore) -> None:
        self._records = records
        self._decisions = decisions
        self._windows = windows

    @property
    def subscription(self) -> Subscription:
        """The group, as the bus runs it."""
        return Subscription(GROUP, frozenset({"entity.normalized.v1"}), self.handle)

    async def handle(self, tx: Transaction, batch: Sequence[Delivery]) -> Sequence[Envelope]:
        """Learn a batch; it leads to no event of its own."""
        events = [delivery.envelope for delivery in batch]
        opening = {
            **await self._learn_bills(tx, [event for event in events if _is_of_bill(event)]),
            **await self._learn_invoices(tx, [event for event in events if _is_of_invoice(event)]),
        }
        await self._records.open_sharing(tx, opening)
        barriers = [
            Barrier(event.payload.provider, event.payload.window, event.payload.bucket)
            for event in events
            if isinstance(event.payload, WindowNormalized)
        ]
        if barriers:
            await self._windows.see(tx, barriers)
        return ()

    async def _learn_bills(self, tx: Transaction, events: Sequence[Envelope]) -> dict[str, UUID]:
        """Write the bills; returns the keys of bills that went away, each with its cause."""
        before = await self._records.hold_bills(tx, sorted({provider_id_of(event.record) for event in events}))
        after = dict(before)
        for event in events:
            id_ = provider_id_of(event.record)
            if _is_older(event, after.get(id_)):
                continue
            after[id_] = _bill_after(after.get(id_), id_, event)
        await self._records.put_bills(tx, list(after.values()))
        changes = [_key_change(id_, before.get(id_), row) for id_, row in after.items()]
        await self._records.change_keys(tx, "bill", [change for change in changes if change.lost or change.gained])
        return {key: after[change.id].cause for change in changes for key in sorted(change.lost)}

    async def _learn_invoices(self, tx: Transaction, events: Sequence[Envelope]) -> dict[str, UUID]:
        """Write the supplier invoices; returns the keys of those that are new or changed, each with its cause."""
        before = await self._records.hold_invoices(tx, sorted({provider_id_of(event.record) for event in events}))
        after, causes = dict(before), {}
        for event in events:
            id_ = provider_id_of(event.record)
            if _is_older(event, after.get(id_)):
                continue
            row = _invoice_after(after.get(id_), event)
            if row is not None and (id_ not in after or row.basis != after[id_].basis):
                causes[id_] = event.id
            if row is not None:
                after[id_] = row
        await self._records.put_invoices(tx, [after[id_] for id_ in causes])
        changes = [_key_change(id_, before.get(id_), after[id_]) for id_ in causes]
        await self._records.change_keys(tx, "invoice", [change for change in changes if change.lost or change.gained])
        claims = await self._decisions.claims(tx, sorted(causes))
        matched = {claim.bill_id: causes[id_] for id_, claim in claims.items() if claim.ground == "matched"}
        await self._records.open_bills(tx, matched)
        return {key: causes[change.id] for change in changes for key in sorted(after[change.id].keys | change.lost)}


def _is_of_bill(event: Envelope) -> bool:
    payload = event.payload
    if isinstance(payload, EntityNormalized):
        return isinstance(payload.entity, Bill)
    return isinstance(payload, EntityWithdrawn | EntityMalformed) and payload.kind == "bill"


def _is_of_invoice(event: Envelope) -> bool:
    """Malformed supplier invoices are passed over: what was known of them stands until Qonto's words can be read."""
    payload = event.payload
    if isinstance(payload, EntityNormalized):
        return isinstance(payload.entity, QontoInvoice)
    return isinstance(payload, EntityWithdrawn) and payload.kind == "supplier_invoice"


def _is_older(event: Envelope, known: BillRow | InvoiceRow | None) -> bool:
    """Whether it tells of an earlier version than is known: a record said anew may meet its own next version."""
    said = event.payload
    if known is None or not isinstance(said, EntityNormalized | EntityWithdrawn | EntityMalformed):
        return False
    return said.version < known.version


def _bill_after(known: BillRow | None, bill_id: str, event: Envelope) -> BillRow:
    payload = event.payload
    bill, withdrawn, version = None, None, 1
    if isinstance(payload, EntityNormalized) and isinstance(payload.entity, Bill):
        bill, version = payload.entity, payload.version
    elif isinstance(payload, EntityWithdrawn):
        withdrawn, version = payload.reason, payload.version
    elif isinstance(payload, EntityMalformed):
        version = payload.version
    return learnt(known, bill_id, bill=bill, withdrawn=withdrawn, version=version, cause=event.id, at=event.occurred_at)


def _invoice_after(known: InvoiceRow | None, event: Envelope) -> InvoiceRow | None:
    payload = event.payload
    if isinstance(payload, EntityNormalized) and isinstance(payload.entity, QontoInvoice):
        return InvoiceRow(payload.entity.invoice_id, payload.version, payload.entity)
    if isinstance(payload, EntityWithdrawn) and known is not None:
        return InvoiceRow(known.invoice_id, payload.version, known.invoice, is_withdrawn=True)
    return None


def _key_change(id_: str, before: BillRow | InvoiceRow | None, after: BillRow | InvoiceRow) -> KeyChange:
    old = before.keys if before is not None else frozenset()
    uploaded_at = after.uploaded_at if isinstance(after, InvoiceRow) else None
    return KeyChange(id_, lost=old - after.keys, gained=after.keys - old, uploaded_at=uploaded_at)
