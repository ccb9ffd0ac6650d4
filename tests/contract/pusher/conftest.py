"""The pusher's rows in both forms, and a whole pusher over them beside a stand-in of Qonto."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from libs.qonto.standin import running_standin
from libs.runtime.clock import ShiftedClock
from services.pusher.adapters.memory import MemoryStore
from services.pusher.adapters.postgres import PostgresStore
from tests.contract.pusher.stage import Rows, Stage
from tests.support.memory import MemoryFixture
from tests.support.postgres import PostgresFixture
from tests.support.web import web_client


@pytest.fixture(params=["memory", "postgres"])
def kept(request: pytest.FixtureRequest) -> MemoryFixture | PostgresFixture:
    """A place of this test's own."""
    fixture: MemoryFixture | PostgresFixture = request.getfixturevalue(request.param)
    return fixture


@pytest.fixture
async def rows(kept: MemoryFixture | PostgresFixture) -> Rows:
    """The store of that place."""
    store = PostgresStore(kept.sealer) if isinstance(kept, PostgresFixture) else MemoryStore()
    return Rows(await kept.database("pusher"), kept.log("pusher"), store, kept.workspace)


@pytest.fixture
async def stage(postgres: PostgresFixture) -> AsyncIterator[Stage]:
    """A pusher over real rows and a stand-in that listens, on one clock."""
    store, clock = PostgresStore(postgres.sealer), ShiftedClock()
    rows = Rows(await postgres.database("pusher"), postgres.log("pusher"), store, postgres.workspace)
    async with running_standin(clock=clock) as standin, web_client() as http:
        yield Stage(rows, standin, http, clock)
