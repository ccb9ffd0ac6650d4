"""One way to both forms of log and database, and a group that echoes what it reads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

from libs.bus.embedded import Consumer
from libs.bus.port import Subscription
from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.events import EntityWithdrawn, RecordPulled
from libs.contracts.identity import record_of
from libs.database.port import Database, Transaction
from libs.eventlog.port import Delivery, EventLog, LogReader
from libs.runtime.clock import Clock, ManualClock

START = datetime(2026, 11, 2, 8, tzinfo=UTC)
TOPIC = "xero.raw.v1"


def pulled(workspace: UUID, bill: int, version: int = 1) -> Envelope:
    """An event about a bill; each version is a new event of the same key."""
    return enveloped(
        RecordPulled(provider="xero", kind="bill", content_sha256="0" * 64, version=version),
        workspace=workspace,
        record=record_of("xero", "bill", str(bill)),
        cause=uuid4(),
        occurred_at=START,
    )


class Killed(BaseException):
    """Stands for a process that ends in the middle of a handler."""


@dataclass
class World:
    """A log that is written to, a log that a group writes to, and what lies between."""

    source: EventLog
    source_database: Database
    target: EventLog
    target_database: Database
    reader: LogReader
    workspace: UUID
    clock: Clock = field(default_factory=lambda: ManualClock(START))

    async def publish(self, *events: Envelope) -> None:
        """Append events to the source, one transaction for each run of one workspace."""
        for event in events:
            async with self.source_database.transaction(event.workspace) as tx:
                await self.source.append(tx, [event])

    def consumer(self, echo: Echo, *, batch_events: int = 500) -> Consumer:
        """A member of the group `audit.echo`."""
        subscription = Subscription("audit.echo", frozenset({TOPIC}), echo.handle, batch_events)
        return Consumer(
            subscription, database=self.target_database, log=self.target, reader=self.reader, clock=self.clock
        )

    async def written(self, topic: str = "entity.normalized.v1") -> list[Envelope]:
        """What the group has appended, in order within each bucket."""
        piece = await self.reader.read(self.target.name, {}, topic=topic, limit=100_000)
        return [(await self.reader.open(raw)).envelope for raw in piece.deliveries]


@dataclass
class Echo:
    """A handler that answers each event with one, and can be told to fail.

    Attributes:
        batches: The records of every batch it was given, committed or not.
        poison: Records it cannot handle.
        dies_at: The number of the batch in which the process ends.
    """

    batches: list[list[str]] = field(default_factory=list)
    workspaces: list[set[UUID]] = field(default_factory=list)
    poison: frozenset[str] = frozenset()
    dies_at: int | None = None

    async def handle(self, tx: Transaction, batch: Sequence[Delivery]) -> list[Envelope]:
        """One event for each, caused by it."""
        self.batches.append([delivery.envelope.record for delivery in batch])
        self.workspaces.append({delivery.envelope.workspace for delivery in batch} | {tx.workspace})
        if self.dies_at == len(self.batches):
            raise Killed
        await asyncio.sleep(0)
        if any(delivery.envelope.record in self.poison for delivery in batch):
            raise ZeroDivisionError
        return [_answer(delivery.envelope) for delivery in batch]


def _answer(event: Envelope) -> Envelope:
    assert isinstance(event.payload, RecordPulled)
    answer = EntityWithdrawn(kind="bill", reason="voided", version=event.payload.version, sentence="An echo.")
    return enveloped(
        answer, workspace=event.workspace, record=event.record, cause=event.id, occurred_at=event.occurred_at
    )


async def drain(consumer: Consumer) -> None:
    """Step until two steps in a row find nothing."""
    idle = 0
    while idle < 2:
        idle = 0 if await consumer.step() else idle + 1
