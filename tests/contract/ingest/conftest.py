"""Both stores of ingest under one name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

import pytest

from libs.crypto.keyring import Sealer
from libs.database.port import Database
from libs.eventlog.port import EventLog
from services.ingest.adapters.memory import MemoryStore
from services.ingest.adapters.postgres import PostgresStore
from services.ingest.ports import Store
from tests.support.memory import MemoryFixture
from tests.support.postgres import PostgresFixture

AnyFixture: TypeAlias = MemoryFixture | PostgresFixture


@dataclass(frozen=True)
class Kept:
    """A store and what goes with it."""

    fixture: AnyFixture
    database: Database
    log: EventLog
    sealer: Sealer
    store: Store
    workspace: UUID


@pytest.fixture(params=["memory", "postgres"])
def backend(request: pytest.FixtureRequest) -> AnyFixture:
    found: AnyFixture = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def kept(backend: AnyFixture) -> Kept:
    store: Store = MemoryStore() if isinstance(backend, MemoryFixture) else PostgresStore()
    database = await backend.database("ingest")
    return Kept(backend, database, backend.log("ingest"), backend.sealer, store, backend.workspace)
