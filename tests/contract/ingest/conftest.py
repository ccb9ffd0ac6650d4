"""Both stores of ingest under one name, with a clock that stands still and providers in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final, Literal, TypeAlias
from uuid import UUID

import pytest

from libs.bus.port import Subscription
from libs.contracts.envelope import Envelope
from libs.contracts.identity import BUCKETS, Provider
from libs.contracts.topics import TOPICS, log_of
from libs.crypto.keyring import Sealer
from libs.database.port import Database
from libs.eventlog.port import Consumed, Delivery, EventLog
from libs.runtime.clock import Clock, ManualClock
from libs.runtime.rounds import Rounds, any_of_them
from services.ingest.adapters.memory import MemoryStore
from services.ingest.adapters.memory_providers import MemoryProvider
from services.ingest.adapters.postgres import PostgresStore
from services.ingest.flow.normalize import Normalizer
from services.ingest.flow.pull import Puller
from services.ingest.ports import Store
from tests.support.memory import MemoryFixture
from tests.support.postgres import PostgresFixture

AnyFixture: TypeAlias = MemoryFixture | PostgresFixture
State: TypeAlias = Literal["none", "active", "refused", "lost", "revoked"]

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
POLL_SECONDS: Final = 900.0
_ALL_TOPICS: Final = frozenset(topic.name for topic in TOPICS)


@dataclass
class Connected:
    """Workspaces as auth tells of them: active unless a test says otherwise."""

    known: list[UUID]
    states: dict[tuple[UUID, Provider], State] = field(default_factory=dict)

    async def connected(self, provider: Provider) -> Sequence[UUID]:
        return [each for each in self.known if self.states.get((each, provider), "active") == "active"]

    def rounds(self, provider: Provider, clock: Clock) -> Rounds:
        """Rounds that visit every one of them."""
        return Rounds("ingest.tested", partial(self.connected, provider), any_of_them, clock)


@dataclass(frozen=True)
class Kept:
    """A store and what goes with it."""

    fixture: AnyFixture
    database: Database
    log: EventLog
    sealer: Sealer
    store: Store
    workspace: UUID
    connected: Connected
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))

    def puller(self, provider: Provider, reader: MemoryProvider) -> Puller:
        pace = (POLL_SECONDS, 300.0)
        rounds = self.connected.rounds(provider, self.clock)
        return Puller(provider, reader, self.database, self.log, self.store, self.sealer, rounds, self.clock, *pace)

    def normalizer(self) -> Normalizer:
        return Normalizer(self.store, self.sealer, self.clock)

    async def events(self, *, log: str = "ingest", topics: frozenset[str] = _ALL_TOPICS) -> list[Envelope]:
        """Every event of a log, in order within each bucket."""
        return [delivery.envelope for delivery in await self._deliveries(log, topics, "ingest.nobody")]

    async def drain(self, subscription: Subscription) -> None:
        """Let a group of ours deal with everything there is for it."""
        [log] = {log_of(topic) for topic in subscription.topics}
        deliveries = await self._deliveries(log, subscription.topics, subscription.group)
        for workspace in {delivery.envelope.workspace for delivery in deliveries}:
            own = [delivery for delivery in deliveries if delivery.envelope.workspace == workspace]
            async with self.database.transaction(workspace) as tx:
                unseen = await self.log.unseen(tx, subscription.group, own)
                said = await subscription.handler(tx, unseen)
                positions = tuple(delivery.position for delivery in unseen)
                await self.log.append(tx, said, consumed=Consumed(subscription.group, positions))

    async def _deliveries(self, log: str, topics: frozenset[str], group: str) -> list[Delivery]:
        reader = await self.fixture.reader()
        found: list[Delivery] = []
        for topic in topics:
            after = dict(await reader.positions(group, log, topic))
            while (piece := await reader.read(log, after, topic=topic, limit=5000)).through:
                found += [await reader.open(raw) for raw in piece.deliveries]
                after |= piece.through
        return sorted(found, key=lambda delivery: (delivery.position.bucket, delivery.position.sequence))


@pytest.fixture(params=["memory", "postgres"])
def backend(request: pytest.FixtureRequest) -> AnyFixture:
    found: AnyFixture = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def kept(backend: AnyFixture) -> Kept:
    store: Store = MemoryStore() if isinstance(backend, MemoryFixture) else PostgresStore()
    database = await backend.database("ingest")
    connected = Connected([backend.workspace])
    return Kept(backend, database, backend.log("ingest"), backend.sealer, store, backend.workspace, connected)


def of_type(events: Sequence[Envelope], *types: type) -> list[Envelope]:
    """Those events whose payload is of these types."""
    return [event for event in events if isinstance(event.payload, types)]


def barriers(events: Sequence[Envelope], kind: type, window: str) -> set[int]:
    """The buckets in which a window's barrier was said."""
    said = [event for event in of_type(events, kind) if event.payload.window == window]  # type: ignore[union-attr]
    assert all(event.bucket == event.payload.bucket for event in said)  # type: ignore[union-attr]
    return {event.bucket for event in said}


ALL_BUCKETS: Final = set(range(BUCKETS))
Change = Callable[[], None]
