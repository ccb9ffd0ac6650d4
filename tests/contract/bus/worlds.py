"""One way to every transport and both forms of the log, for a group that echoes what it reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from libs.bus.embedded import Consumer
from libs.bus.kafka.consumer import KafkaConsumer
from libs.bus.kafka.intake import Place
from libs.bus.kafka.relay import Relay
from libs.bus.kafka.relayed import RelayedLog
from libs.bus.port import Subscription
from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.events import RecordPulled
from libs.contracts.identity import record_of
from libs.database.port import Database
from libs.eventlog.port import EventLog, LogReader
from libs.runtime.clock import Clock, ManualClock
from libs.runtime.working import Runs
from tests.contract.bus.echoes import Echo
from tests.support.until import until

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

    def consumer(self, echo: Echo, *, batch_events: int = 500) -> Consumer | OverKafka:
        """A member of the group `audit.echo`."""
        return Consumer(
            self.subscription(echo, batch_events),
            database=self.target_database,
            log=self.target,
            reader=self.reader,
            clock=self.clock,
        )

    def subscription(self, echo: Echo, batch_events: int = 500) -> Subscription:
        """What the group reads, and that an echo answers."""
        return Subscription("audit.echo", frozenset({TOPIC}), echo.handle, batch_events)

    async def written(self, topic: str = "entity.normalized.v1") -> list[Envelope]:
        """What the group has appended, in order within each bucket."""
        piece = await self.reader.read(self.target.name, {}, topic=topic, limit=100_000)
        return [(await self.reader.open(raw)).envelope for raw in piece.deliveries]


@dataclass
class KafkaWorld(World):
    """The same with a Kafka cluster between the logs.

    Attributes:
        relay_pool: What relays reach the source by.
        bootstrap: The cluster's address.
        prefix: What this world's topics begin with.
        partitions: How many each of them has.
    """

    relay_pool: asyncpg.Pool = field(kw_only=True)
    bootstrap: str = field(kw_only=True)
    prefix: str = field(kw_only=True)
    partitions: int = field(kw_only=True)

    def __post_init__(self) -> None:
        self.relay = self.another_relay()

    def another_relay(
        self, *, bootstrap: str | None = None, log: type[RelayedLog] = RelayedLog, acknowledged_seconds: float = 40
    ) -> Relay:
        """A relay of the source, as another process has it; it may reach the cluster by another address."""
        return Relay(
            log(self.source.name, self.relay_pool),
            reader=self.reader,
            bootstrap=bootstrap or self.bootstrap,
            prefix=self.prefix,
            clock=self.clock,
            acknowledged_seconds=acknowledged_seconds,
        )

    async def append(self, *events: Envelope) -> None:
        """Append events to the source, and leave them to whoever relays it."""
        await super().publish(*events)

    async def publish(self, *events: Envelope) -> None:
        """Append events to the source and have them relayed."""
        await super().publish(*events)
        while await self.relay.step():
            pass

    def consumer(self, echo: Echo, *, batch_events: int = 500) -> OverKafka:
        """A member of the group `audit.echo`."""
        return OverKafka(self.kafka_consumer(echo, batch_events=batch_events), echo, self.ends)

    async def ends(self, topic: str = TOPIC) -> Mapping[Place, int]:
        """Where a topic ends, partition by partition."""
        async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap) as asked:
            places = [TopicPartition(self.prefix + topic, number) for number in range(self.partitions)]
            ends: Mapping[Place, int] = await asked.end_offsets(places)
            return ends

    @property
    def topic(self) -> str:
        """The topic's name on the cluster."""
        return self.prefix + TOPIC

    def kafka_consumer(
        self, echo: Echo, *, batch_events: int = 500, bootstrap: str | None = None, finish_seconds: float = 20
    ) -> KafkaConsumer:
        """The same without the clothes of the embedded one; it may reach the cluster by another address."""
        return KafkaConsumer(
            self.subscription(echo, batch_events),
            database=self.target_database,
            log=self.target,
            reader=self.reader,
            bootstrap=bootstrap or self.bootstrap,
            prefix=self.prefix,
            clock=self.clock,
            finish_seconds=finish_seconds,
        )

    async def are_written(self, count: int) -> bool:
        """Whether the group has appended so many events."""
        return len(await self.written()) >= count


@dataclass
class OverKafka:
    """A consumer over Kafka as the suite knows one: the first step joins the group, and each reads to the end."""

    consumer: KafkaConsumer
    echo: Echo
    ends: Callable[[], Awaitable[Mapping[Place, int]]]
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _running: asyncio.Future[None] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Deal with events until `stop` is set."""
        await self.consumer.run(stop)

    async def step(self) -> int:
        """Deal with everything there is; returns how many events the handler was given."""
        before = self._handled()
        if self._running is None:
            self._running = asyncio.ensure_future(self.consumer.run(self._stop))
        await until(self._is_at_end_or_ended)
        if self._running.done():
            await self._running
        return self._handled() - before

    async def end(self) -> None:
        """Leave the group."""
        self._stop.set()
        if self._running is not None and not self._running.done():
            await self._running

    def _handled(self) -> int:
        return sum(map(len, self.echo.batches))

    async def _is_at_end_or_ended(self) -> bool:
        assert self._running is not None
        return self._running.done() or (await self.ends()).items() == self.consumer.next_offsets.items()


@asynccontextmanager
async def running(*members: Runs) -> AsyncIterator[None]:
    """Members and relays that run until the block ends."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for member in members:
            group.create_task(member.run(stop))
        try:
            yield
        finally:
            stop.set()


async def drain(consumer: Consumer | OverKafka) -> None:
    """Step until two steps in a row find nothing."""
    idle = 0
    try:
        while idle < 2:
            idle = 0 if await consumer.step() else idle + 1
    finally:
        if isinstance(consumer, OverKafka):
            await consumer.end()
