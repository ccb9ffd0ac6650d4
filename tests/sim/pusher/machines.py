"""A world in memory in which pushers die at any step, answers get lost and clocks jump."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from libs.blobs.memory import MemoryBlobs
from libs.bus.port import Subscription
from libs.contracts.envelope import Envelope
from libs.contracts.upload_name import token_of
from libs.database.memory import MemoryDatabase
from libs.database.port import Transaction
from libs.eventlog.memory import MemoryEventLog, MemoryLogReader
from libs.eventlog.port import Consumed, Delivery, Position
from libs.runtime.clock import ManualClock
from libs.runtime.rounds import any_of_them
from libs.runtime.worker import Worker
from services.pusher.adapters.memory import MemoryStore
from services.pusher.adapters.memory_qonto import MemoryQonto
from services.pusher.config import PusherConfig
from services.pusher.domain.comparing import ReadBack
from services.pusher.domain.posting import Posting
from services.pusher.main import assemble
from services.pusher.ports import Refused, Upload, Uploaded
from tests.unit.pusher.stories import NOW, WORKSPACE, about, decided, fetched, pdf


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Fate:
    """When a process dies or stalls: one entry a step that touches the outside; after the last, never.

    A number is a stall of so many seconds; True is death; False is nothing.
    """

    steps: deque[bool | int] = field(default_factory=deque)


@dataclass
class Machine:
    """A process: everything it does outside of itself may be its last."""

    world: World
    alive: bool = True

    async def step(self) -> None:
        """Go on, stall, or die."""
        if not self.alive:
            raise Killed
        fate = self.world.fate.steps.popleft() if self.world.fate.steps else False
        if fate is True:
            self.alive = False
            raise Killed
        if fate:
            self.world.clock.advance(fate)
        for _ in range(10 if fate else 1):
            await asyncio.sleep(0)
        if not self.alive:
            raise Killed

    @asynccontextmanager
    async def transaction(self, workspace: UUID) -> AsyncIterator[Transaction]:
        """A transaction before, inside and after which the process may die."""
        await self.step()
        async with self.world.database.transaction(workspace) as tx:
            yield tx
            await self.step()
        await self.step()

    async def account(self, workspace: UUID) -> str:
        """Ask for the account."""
        return await self.world.qonto.account(workspace)

    async def upload(self, workspace: UUID, upload: Upload) -> Uploaded | Refused:
        """Upload, and perhaps die or stall before the request leaves or after the answer came."""
        await self.step()
        answer = await self.world.qonto.upload(workspace, upload)
        await self.step()
        return answer

    async def created_since(self, workspace: UUID, account: str, since: datetime) -> list[ReadBack]:
        """Look."""
        seen = await self.world.qonto.created_since(workspace, account, since)
        await self.step()
        return seen

    async def by_attachments(self, workspace: UUID, attachment_ids: Sequence[str]) -> list[ReadBack]:
        """Read back."""
        await self.step()
        return await self.world.qonto.by_attachments(workspace, attachment_ids)


@dataclass
class Everybody:
    """One workspace, connected."""

    async def connected(self, provider: str) -> list[UUID]:
        """The one."""
        assert provider == "qonto"
        return [WORKSPACE]


class World:
    """What outlives every process: database, log, blobs, Qonto and time."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOW)
        self.database = MemoryDatabase()
        self.log = MemoryEventLog("pusher")
        self.store = MemoryStore()
        self.blobs = MemoryBlobs()
        self.qonto = MemoryQonto(self.clock)
        self.fate = Fate()
        self.inbox: list[Delivery] = []
        self.machines = [self.start(), self.start()]

    def start(self) -> Pusher:
        """A new process."""
        return Pusher(self)

    async def hear(self, record: str, generation: int, verdict: str = "post") -> None:
        """A decision about a bill and, for one to post, its document; in no particular order."""
        content = f"%PDF {record}".encode()
        await self.blobs.put(WORKSPACE, content)
        self._receive("matcher", about(decided(generation, verdict), record=record))
        if verdict == "post":
            self._receive("ingest", about(fetched(generation, pdf(content)), record=record))

    async def round(self) -> None:
        """Let both pushers do everything once, at the same time; who died is replaced."""
        pushers = list(enumerate(self.machines))
        results = await asyncio.gather(*(pusher.go() for _, pusher in pushers), return_exceptions=True)
        for (at, _), result in zip(pushers, results, strict=True):
            if isinstance(result, Killed):
                self.machines[at] = self.start()
            elif result is not None:
                raise result

    async def postings(self) -> list[Posting]:
        """Every posting there is."""
        async with self.database.transaction(WORKSPACE) as tx:
            return list(tx.table("pusher.posting").values())

    async def in_qonto(self) -> Counter[str]:
        """Invoices in Qonto by bill."""
        names = {token_of(posting.id): posting.record for posting in await self.postings()}
        held = [invoice for _, invoice in self.qonto.invoices.get(WORKSPACE, [])]
        return Counter(record for i in held for token, record in names.items() if token in str(i.file_name))

    async def told(self) -> list[Envelope]:
        """Every event of the pusher, in order within each bucket."""
        reader = MemoryLogReader(self.database)
        piece = await reader.read("pusher", {}, topic="qonto.posted.v1", limit=1_000_000)
        return [(await reader.open(raw)).envelope for raw in piece.deliveries]

    def _receive(self, log: str, event: Envelope) -> None:
        sequence = 1 + sum(d.position.log == log and d.position.bucket == event.bucket for d in self.inbox)
        self.inbox.append(Delivery(Position(log, event.topic, event.bucket, sequence), event))


class Pusher:
    """One process of the pusher."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._machine = Machine(world)
        service = assemble(
            database=self._machine,
            log=world.log,
            store=world.store,
            qonto=self._machine,
            clock=world.clock,
            blobs=world.blobs,
            workspaces=Everybody(),
            due=lambda _: any_of_them,
            config=PusherConfig(),
        )
        self._intend: Subscription = service.subscriptions[0]
        self._workers: tuple[Worker, ...] = service.workers

    async def go(self) -> None:
        """Hear what is new, then do what is due."""
        await self._hear()
        for worker in self._workers:
            await worker.step()

    async def _hear(self) -> None:
        world = self._world
        for log in ("ingest", "matcher"):
            inbox = [delivery for delivery in world.inbox if delivery.position.log == log]
            if not inbox:
                continue
            async with self._machine.transaction(WORKSPACE) as tx:
                batch = await world.log.unseen(tx, "pusher.intend", inbox)
                events = await self._intend.handler(tx, batch)
                if batch:
                    positions = tuple(delivery.position for delivery in batch)
                    await world.log.append(tx, events, consumed=Consumed("pusher.intend", positions))
