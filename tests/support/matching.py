"""A matcher over either form of a database, fed with events as the bus would feed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from libs.contracts.entities import Bill, QontoInvoice
from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.events import (
    EntityMalformed,
    EntityNormalized,
    EntityWithdrawn,
    Event,
    MatchDecided,
    SignedOff,
    WindowNormalized,
)
from libs.contracts.identity import BUCKETS, derived_id, record_in_bucket, record_of
from libs.contracts.money import Money
from libs.database.port import Database
from libs.eventlog.port import Delivery, Position
from libs.runtime.clock import ManualClock
from services.matcher.adapters.memory import MemoryDecisions, MemoryRecords, MemoryWindows
from services.matcher.config import MatcherSettings
from services.matcher.domain.policy import STANDARD, Policy
from services.matcher.main import MatcherService, Stores, build, postgres_stores
from tests.support.forms import Form
from tests.support.memory import MemoryFixture

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SHA = "0" * 64


def stores_of(form: Form) -> Stores:
    """The stores that speak this form."""
    if isinstance(form, MemoryFixture):
        return Stores(MemoryRecords(), MemoryDecisions(), MemoryWindows())
    return postgres_stores(form.sealer)


def a_bill(
    bill_id: str = "bill-1",
    *,
    supplier: str | None = "Menuiserie Brémond SARL",
    number: str | None = "F-2026-0117",
    on: date | None = date(2026, 1, 17),
    minor: int = 128_400,
    status: str = "AUTHORISED",
    has_document: bool = True,
    currency: str = "EUR",
    **others: object,
) -> Bill:
    """A bill as ordinary as bills are."""
    fields = {"type": "ACCPAY", "total": Money(minor=minor, currency=currency), **others}
    return Bill.model_validate(
        {
            "bill_id": bill_id,
            "status": status,
            "number": number,
            "supplier_name": supplier,
            "issue_date": on,
            "has_document": has_document,
            **fields,
        }
    )


def an_invoice(
    invoice_id: str = "invoice-1",
    *,
    supplier: str | None = "MENUISERIE BREMOND",
    number: str | None = "F20260117",
    on: date | None = date(2026, 1, 17),
    minor: int = 128_400,
    currency: str = "EUR",
    status: str = "to_review",
    **others: object,
) -> QontoInvoice:
    """The same document as Qonto read it."""
    return QontoInvoice.model_validate(
        {
            "invoice_id": invoice_id,
            "status": status,
            "number": number,
            "supplier_name": supplier,
            "issue_date": on,
            "total": Money(minor=minor, currency=currency),
            **others,
        }
    )


@dataclass
class Workspace:
    """One workspace of a matcher.

    Attributes:
        form: The database behind it.
        service: The matcher.
        database: As the matcher's role.
        sequence: Of the events fed so far.
    """

    form: Form
    service: MatcherService
    database: Database
    stores: Stores
    sequence: int = 0
    versions: dict[str, int] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        """The workspace."""
        return self.form.workspace

    async def learn(self, *records: Bill | QontoInvoice, said_at: datetime = NOON) -> None:
        """Feed records, in order, as one batch."""
        await self.feed("matcher.entities", [self._normalized(record, said_at) for record in records])

    async def withdraw(self, bill_id: str) -> None:
        """Xero voids a bill."""
        record = record_of("xero", "bill", bill_id)
        withdrawn = EntityWithdrawn(
            kind="bill", reason="voided", version=self._version(record), sentence="Voided in Xero."
        )
        await self.feed("matcher.entities", [self.event(record, withdrawn)])

    async def spoil(self, bill_id: str) -> None:
        """Xero's words of a bill can no longer be read."""
        record = record_of("xero", "bill", bill_id)
        spoilt = EntityMalformed(kind="bill", code="bad_amount", version=self._version(record), sentence="No number.")
        await self.feed("matcher.entities", [self.event(record, spoilt)])

    async def finish_windows(self) -> None:
        """Both providers have been read to their end."""
        for provider in ("xero", "qonto"):
            barriers = [
                WindowNormalized(provider=provider, window="first", through=NOON, bucket=bucket)
                for bucket in range(BUCKETS)
            ]
            await self.feed(
                "matcher.entities",
                [self.event(record_in_bucket(self.id, f"window/{b.window}", b.bucket), b) for b in barriers],
            )

    async def answer(self, bill_id: str, answer: str, invoice_id: str | None = None, *, generation: int = 1) -> None:
        """A person answers."""
        said = SignedOff(
            answer=answer, generation=generation, invoice_id=invoice_id, by="ada@example.com", decision=uuid4()
        )
        await self.feed("matcher.sign_offs", [self.event(record_of("xero", "bill", bill_id), said)])

    async def posted(self, bill_id: str, *events: Event) -> None:
        """The pusher tells of a bill."""
        await self.feed("matcher.postings", [self.event(record_of("xero", "bill", bill_id), e) for e in events])

    async def feed(self, group: str, events: Sequence[Envelope]) -> None:
        """Give a batch to a group, as the bus does."""
        handler = next(s.handler for s in self.service.subscriptions if s.group == group)
        batch = [Delivery(Position("log", event.topic, 0, self._next()), event) for event in events]
        async with self.database.transaction(self.id) as tx:
            assert list(await handler(tx, batch)) == []

    async def decide(self) -> int:
        """Decide until nothing is due; returns how many decisions that took."""
        total = 0
        while done := await self.service.job.decide_some(self.id):
            total += done
        return total

    async def decision(self, bill_id: str = "bill-1") -> MatchDecided:
        """The standing decision of a bill."""
        found = await self.service.decision(self.id, record_of("xero", "bill", bill_id))
        assert found is not None
        return found

    def event(self, record: str, payload: Event, at: datetime = NOON) -> Envelope:
        """An event with a cause of its own."""
        cause = derived_id("test", self._next())
        return enveloped(payload, workspace=self.id, record=record, cause=cause, occurred_at=at)

    def _normalized(self, entity: Bill | QontoInvoice, at: datetime) -> Envelope:
        bill = isinstance(entity, Bill)
        record = record_of("xero", "bill", entity.bill_id) if isinstance(entity, Bill) else None
        record = record or record_of("qonto", "supplier_invoice", getattr(entity, "invoice_id", ""))
        assert bill or record.startswith("qonto")
        normalized = EntityNormalized(entity=entity, content_sha256=SHA, version=self._version(record))
        return self.event(record, normalized, at)

    def _version(self, record: str) -> int:
        self.versions[record] = self.versions.get(record, 0) + 1
        return self.versions[record]

    def _next(self) -> int:
        self.sequence += 1
        return self.sequence


class OneWorkspace:
    """Lists one workspace."""

    def __init__(self, workspace: UUID) -> None:
        self._workspace = workspace

    async def workspaces(self) -> Sequence[UUID]:
        """The one."""
        return [self._workspace]


async def open_workspace(form: Form, *, policy: Policy = STANDARD, batch_bills: int = 500) -> Workspace:
    """A matcher with an empty workspace."""
    database = await form.database("matcher")
    stores = stores_of(form)
    service = build(
        database=database,
        log=form.log("matcher"),
        sealer=form.sealer,
        clock=ManualClock(NOON),
        workspaces=OneWorkspace(form.workspace),
        settings=MatcherSettings(policy, batch_bills),
        stores=stores,
    )
    return Workspace(form, service, database, stores)
