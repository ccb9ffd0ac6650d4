"""Auth in several processes over one database, some of which hang in a token call."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

from hypothesis.stateful import RuleBasedStateMachine

from libs.contracts.envelope import Envelope
from libs.contracts.identity import Provider
from libs.crypto.lent import LentToken
from libs.database.memory import MemoryDatabase
from libs.eventlog.memory import MemoryEventLog, MemoryLogReader
from services.auth.adapters.memory import MemoryAuthStore
from services.auth.domain.connection import Connection
from services.auth.main import AuthService
from tests.sim.auth.provider import SkewedClock, StrictProvider, TrueTime
from tests.support.auth import build_auth, consented
from tests.unit.auth.test_connection import NOW

WORKSPACE = UUID(int=5)
BORROWER = {"xero": "xero_mcp", "qonto": "pusher"}

PROCESSES = 3
"""Two of them may hang in a token call, and one can still be asked."""


@dataclass
class Process:
    """A process of auth, and the token call it hangs in."""

    auth: AuthService
    hanging: asyncio.Task[LentToken] | None = None
    held: list[asyncio.Event] = field(default_factory=list)


class Processes(RuleBasedStateMachine):
    """What the rules of a machine act on; `begin` of the machine gives it its provider and starts the processes."""

    provider: StrictProvider
    name: Provider
    processes: list[Process]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.time = TrueTime(NOW)
        self.clock = SkewedClock(self.time)
        self.database, self.store = MemoryDatabase(), MemoryAuthStore()

    def idle(self) -> Process:
        """One that does not hang."""
        return next(each for each in self.processes if not each.hanging)

    def row(self) -> Connection:
        """The connection as it is kept."""
        row = self.runner.run(self._read())
        assert row is not None
        return row

    async def _read(self) -> Connection | None:
        async with self.database.transaction(WORKSPACE) as tx:
            return await self.store.connection(tx, self.name)

    async def said(self) -> list[Envelope]:
        """What auth has said so far."""
        reader = MemoryLogReader(self.database)
        piece = await reader.read("auth", {}, topic="auth.consented.v1", limit=1000)
        return [(await reader.open(raw)).envelope for raw in piece.deliveries]

    async def consented(self) -> None:
        """A person connects."""
        await consented(self.idle().auth, WORKSPACE, self.name)

    def started(self) -> AuthService:
        """Auth in a process that has just begun."""
        return build_auth(
            "http://localhost",
            clock=self.clock,
            clients={self.name: self.provider},
            log=MemoryEventLog("auth"),
            database=self.database,
            store=self.store,
        )


async def killed(process: Process) -> None:
    """Nothing of what was under way is finished."""
    tasks = [*process.auth.lending._under_way.values(), *([process.hanging] if process.hanging else [])]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
