"""A matcher at work while what it decides comes back to it: events by their lanes, in any order that a log allows.

What a log promises is kept: within one topic and bucket, order; everything, at least once. All else is chance with a
seed: which lanes come when, in what batches, what comes twice, when bills are decided, and when what was posted is
settled and read back from Qonto.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from libs.bus.dealing import Dealer
from libs.contracts.entities import Bill, QontoInvoice
from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.events import (
    EntityNormalized,
    Event,
    MatchDecided,
    PostIntended,
    PostSettled,
    WindowNormalized,
)
from libs.contracts.identity import BUCKETS, derived_id, provider_id_of, record_in_bucket, record_of
from libs.eventlog.port import LogReader, RawDelivery
from libs.runtime.clock import ManualClock
from services.pusher.domain.naming import file_name_of
from tests.support.matching import NOON, SHA, Workspace, open_workspace
from tests.support.memory import MemoryFixture

POSTED_AT: Final = NOON + timedelta(minutes=1)
"""When whatever is posted arrives at Qonto: after everything that is known from the start was said."""

TWICE: Final = 0.3
"""Of batches, those that begin with what came before."""

_OWNERS: Final = {"entity.normalized.v1": "ingest", "qonto.posted.v1": "pusher"}


class Meanwhile:
    """One run of a workspace from its first events to rest.

    Args:
        workspace: The matcher.
        reader: The logs.
        seed: Of all chance.
    """

    def __init__(self, workspace: Workspace, reader: LogReader, seed: int) -> None:
        self._workspace = workspace
        self._reader = reader
        self._chance = random.Random(seed)  # noqa: S311 the order of a test, not a secret
        self._taken: dict[tuple[str, int], int] = {}
        self._to_tell: list[tuple[str, Envelope]] = []
        self._posted: set[str] = set()
        self._bills: dict[str, Bill] = {}
        log, opener = workspace.form.log("matcher"), reader
        self._dealers = {
            next(iter(one.topics)): Dealer(
                one, database=workspace.database, log=log, opener=opener, clock=ManualClock(NOON)
            )
            for one in workspace.service.subscriptions
        }

    async def begin(self, bills: Sequence[Bill], invoices: Sequence[QontoInvoice]) -> None:
        """Both providers are read to their end."""
        self._bills = {bill.bill_id: bill for bill in bills}
        for invoice in invoices:
            await self._append("ingest", self._normalized(invoice))
        for bill in bills:
            await self._append("ingest", self._normalized(bill))
        for provider in ("qonto", "xero"):
            for bucket in range(BUCKETS):
                ended = WindowNormalized(provider=provider, window="first", through=NOON, bucket=bucket)
                record = record_in_bucket(self._workspace.id, f"window/{provider}", bucket)
                await self._append("ingest", self._event(record, ended))

    async def run(self) -> None:
        """Deal, decide, post and read back by chance, until nothing is left of any of it."""
        at_rest = False
        while not at_rest:
            steps = [self._deal, self._decide, self._tell]
            self._chance.shuffle(steps)
            at_rest = not any([await step() for step in steps])

    async def run_straight(self) -> None:
        """Deal with everything, then decide everything; post nothing."""
        while await self._deal():
            pass
        while await self._decide():
            pass

    async def first_decisions(self) -> dict[str, bytes]:
        """By bill, the bytes of its first decision."""
        return {
            provider_id_of(event.record): event.payload.model_dump_json().encode()
            for event in await self._decided()
            if isinstance(event.payload, MatchDecided) and event.payload.generation == 1
        }

    async def linked(self) -> list[str]:
        """The supplier invoices of the bills that stand linked, each as often as it is."""
        decisions = [await self._workspace.decision(bill_id) for bill_id in self._bills]
        return [decision.chosen[0] for decision in decisions if decision.verdict == "link"]

    async def _deal(self) -> bool:
        """One batch of one topic: some lanes, of each a few events; sometimes again what came just before."""
        topic = self._chance.choice(sorted(_OWNERS))
        piece = await self._reader.read(_OWNERS[topic], {}, topic=topic, limit=100_000)
        lanes: dict[int, list[RawDelivery]] = {}
        for raw in piece.deliveries:
            lanes.setdefault(raw.position.bucket, []).append(raw)
        chosen = [bucket for bucket in lanes if self._chance.random() < 0.5]
        batch: list[RawDelivery] = []
        for bucket in chosen:
            start = self._taken.get((topic, bucket), 0)
            end = min(len(lanes[bucket]), start + self._chance.randint(1, 3))
            self._taken[topic, bucket] = end
            again = self._chance.randint(0, start) if self._chance.random() < TWICE else 0
            batch += lanes[bucket][start - again : end]
        if batch:
            await self._dealers[topic].deal(batch)
        return bool(batch) or bool(await self._left())

    async def _left(self) -> int:
        told = [await self._reader.read(log, {}, topic=topic, limit=100_000) for topic, log in _OWNERS.items()]
        return sum(len(piece.deliveries) for piece in told) - sum(self._taken.values())

    async def _decide(self) -> bool:
        return bool(await self._workspace.service.job.decide_some(self._workspace.id))

    async def _tell(self) -> bool:
        """Say one thing that came of posting: that it was meant, that it is settled, or what Qonto lists of it."""
        for event in await self._decided():
            said, id_ = event.payload, provider_id_of(event.record)
            if isinstance(said, MatchDecided) and said.verdict == "post" and id_ not in self._posted:
                self._posted.add(id_)
                await self._append("pusher", self._event(event.record, self._intended(id_, said.generation)))
                self._to_tell += self._came_of(id_)
        if not self._to_tell:
            return False
        await self._append(*self._to_tell.pop(self._chance.randrange(len(self._to_tell))))
        return True

    def _intended(self, bill_id: str, generation: int) -> PostIntended:
        posting = derived_id("posting", bill_id)
        name = file_name_of(posting, self._bills[bill_id].number, "application/pdf")
        return PostIntended(posting=posting, document_sha256=SHA, file_name=name, generation=generation)

    def _came_of(self, bill_id: str) -> Iterable[tuple[str, Envelope]]:
        bill, meant = self._bills[bill_id], self._intended(bill_id, 1)
        listed = QontoInvoice(
            invoice_id=f"posted-{bill_id}",
            status="to_review",
            number=bill.number,
            supplier_name=bill.supplier_name,
            issue_date=bill.issue_date,
            total=bill.total,
            file_name=meant.file_name,
            created_at=POSTED_AT,
        )
        settled = PostSettled(posting=meant.posting, invoice_id=listed.invoice_id, attachment_id=None, found="answer")
        yield "ingest", self._normalized(listed)
        yield "pusher", self._event(record_of("xero", "bill", bill_id), settled)

    async def _decided(self) -> list[Envelope]:
        piece = await self._reader.read("matcher", {}, topic="match.decided.v1", limit=100_000)
        return [(await self._reader.open(raw)).envelope for raw in piece.deliveries]

    def _normalized(self, entity: Bill | QontoInvoice) -> Envelope:
        named = ("xero", "bill", entity.bill_id) if isinstance(entity, Bill) else None
        record = record_of(*(named or ("qonto", "supplier_invoice", getattr(entity, "invoice_id", ""))))
        return self._event(record, EntityNormalized(entity=entity, content_sha256=SHA, version=1))

    def _event(self, record: str, payload: Event) -> Envelope:
        at = POSTED_AT if isinstance(payload, PostSettled) else NOON
        cause = derived_id("meanwhile", record)
        return enveloped(payload, workspace=self._workspace.id, record=record, cause=cause, occurred_at=at)

    async def _append(self, log: str, event: Envelope) -> None:
        database = self._workspace.database
        async with database.transaction(self._workspace.id) as tx:
            await self._workspace.form.log(log).append(tx, [event])


async def meanwhile(
    bills: Sequence[Bill], invoices: Sequence[QontoInvoice], *, seed: int, batch_bills: int, workspace: UUID
) -> Meanwhile:
    """A workspace of this name to which both providers were just read."""
    form = MemoryFixture(workspace=workspace)
    run = Meanwhile(await open_workspace(form, batch_bills=batch_bills), await form.reader(), seed)
    await run.begin(bills, invoices)
    return run
