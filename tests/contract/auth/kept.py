"""Where auth keeps its rows, in both forms."""

from __future__ import annotations

from dataclasses import dataclass

from libs.database.port import Database
from libs.eventlog.port import EventLog
from services.auth.adapters.memory import MemoryAuthStore
from services.auth.adapters.postgres import PostgresAuthStore
from services.auth.ports import AuthStore
from tests.support.memory import MemoryFixture
from tests.support.postgres import PostgresFixture


@dataclass(frozen=True)
class Kept:
    """A place where auth keeps its rows."""

    fixture: MemoryFixture | PostgresFixture

    async def database(self) -> Database:
        """Where its transactions run."""
        return await self.fixture.database("auth")

    @property
    def store(self) -> AuthStore:
        """Who speaks to it."""
        in_memory = isinstance(self.fixture, MemoryFixture)
        return MemoryAuthStore() if in_memory else PostgresAuthStore(self.fixture.sealer)

    @property
    def log(self) -> EventLog:
        """Auth's event log."""
        return self.fixture.log("auth")
