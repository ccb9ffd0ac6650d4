"""The twin in memory under the same names as the Postgres fixture."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest

from libs.crypto.keyring import Sealer
from libs.database.memory import MemoryDatabase
from libs.eventlog.memory import MemoryEventLog, MemoryLogReader
from tests.support.keys import MemoryKeyring, sealer_over


@dataclass
class MemoryFixture:
    """A database in memory of this test's own."""

    sealer: Sealer = field(default_factory=lambda: sealer_over(MemoryKeyring()))
    workspace: UUID = field(default_factory=uuid4)
    _database: MemoryDatabase = field(default_factory=MemoryDatabase)

    async def database(self, service: str) -> MemoryDatabase:
        """The database; tables are named after their service, so that all can share one."""
        assert service
        return self._database

    def log(self, service: str) -> MemoryEventLog:
        """A service's event log."""
        return MemoryEventLog(service)

    async def reader(self) -> MemoryLogReader:
        """What a transport reads the logs through."""
        return MemoryLogReader(self._database)


@pytest.fixture
def memory() -> MemoryFixture:
    """A database in memory of this test's own."""
    return MemoryFixture()
