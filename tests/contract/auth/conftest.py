"""Auth over memory and over Postgres: one suite, two adapters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from libs.contracts.events import Event
from libs.runtime.clock import ShiftedClock
from libs.xero.standin import Standin, running_standin
from tests.contract.auth.asking import Asked, auth_asked
from tests.contract.auth.kept import Kept
from tests.support.auth import RunningAuth, running_auth
from tests.support.memory import MemoryFixture


@pytest.fixture(params=["memory", "postgres"])
def kept(request: pytest.FixtureRequest) -> Kept:
    """A place of this test's own."""
    return Kept(request.getfixturevalue(request.param))


@dataclass(frozen=True)
class Stage:
    """Auth beside a stand-in of Xero whose clock is auth's clock too."""

    auth: RunningAuth
    xero: Standin
    clock: ShiftedClock
    kept: Kept


@pytest.fixture
async def stage(kept: Kept) -> AsyncIterator[Stage]:
    """Auth and Xero, running."""
    async with _stage(kept) as running:
        yield running


@pytest.fixture
async def quick(memory: MemoryFixture) -> AsyncIterator[Stage]:
    """The same over memory alone, for what is decided before any row is read."""
    async with _stage(Kept(memory)) as running:
        yield running


@asynccontextmanager
async def _stage(kept: Kept) -> AsyncIterator[Stage]:
    clock = ShiftedClock()
    async with (
        running_standin(clock=clock) as xero,
        running_auth(xero, clock=clock, log=kept.log, database=await kept.database(), store=kept.store) as auth,
    ):
        yield Stage(auth, xero, clock, kept)


async def events_of(kept: Kept) -> list[Event]:
    """What auth has said so far."""
    reader = await kept.fixture.reader()
    piece = await reader.read("auth", {}, topic="auth.consented.v1", limit=1000)
    return [(await reader.open(raw)).envelope.payload for raw in piece.deliveries]


@pytest.fixture(params=["here", "http"])
async def asked(request: pytest.FixtureRequest, kept: Kept) -> AsyncIterator[Asked]:
    """Auth over both forms of a database, asked in both ways."""
    async with auth_asked(kept, request.param) as running:
        yield running


@pytest.fixture
async def over_http(memory: MemoryFixture) -> AsyncIterator[Asked]:
    """Auth asked over HTTP, for what is about HTTP alone."""
    async with auth_asked(Kept(memory), "http") as running:
        yield running
