"""Starting a stand-in inside a program, and stopping it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from libs.qonto.endpoints import Endpoints, endpoints_at
from libs.qonto.standin import grants
from libs.qonto.standin.app import build_app
from libs.qonto.standin.beginning import DEFAULT_CLIENT, DEFAULT_ORGANIZATION, begin
from libs.qonto.standin.oauth import SCOPES
from libs.qonto.standin.store import Store
from libs.qonto.standin.world import World
from libs.runtime.clock import ShiftedClock

SHUTDOWN_SECONDS: Final = 1.0
"""Seconds that calls in flight have left when the stand-in stops."""


@dataclass(frozen=True)
class Standin:
    """A stand-in that is running.

    Attributes:
        url: Where it is, without a slash at its end: `http://127.0.0.1:43127`.
        world: What it holds, for tests in the same process.
    """

    url: str
    world: World

    @property
    def endpoints(self) -> Endpoints:
        """Its addresses, as a client of Qonto wants them."""
        return endpoints_at(self.url)

    def token(self, organization: str = str(DEFAULT_ORGANIZATION), *, scopes: Iterable[str] = sorted(SCOPES)) -> str:
        """An access token of an organization without a consent page; every scope unless some are named."""
        scope = " ".join(scopes)
        return grants.issue(self.world, grants.grant(self.world, DEFAULT_CLIENT, organization, scope), scope).access


@asynccontextmanager
async def running_standin(
    *, store: str = ":memory:", clock: ShiftedClock | None = None, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Standin]:
    """A stand-in as long as the block lasts.

    Args:
        store: The SQLite file; `:memory:` forgets with the block.
        clock: Shared with whoever moves it; None makes one, moved on as far as the file says it was.
        host: The address to listen on.
        port: The port; 0 takes a free one.
    """
    held = Store(store)
    world = World(held, clock or ShiftedClock())
    if clock is None:
        world.clock.advance(world.advanced_seconds)
    begin(world)
    runner = web.AppRunner(build_app(world), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    try:
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
        bound = runner.addresses[0][1]
        yield Standin(f"http://{host}:{bound}", world)
    finally:
        await runner.cleanup()
        held.close()
