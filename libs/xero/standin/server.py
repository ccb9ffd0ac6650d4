"""Puts the stand-in together and serves it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from libs.runtime.clock import ShiftedClock
from libs.xero.endpoints import Endpoints, endpoints_at
from libs.xero.standin.accounting import Accounting
from libs.xero.standin.attachments import Attachments
from libs.xero.standin.budgets import Budgets
from libs.xero.standin.control import Control
from libs.xero.standin.faults import Faults
from libs.xero.standin.gate import Gate
from libs.xero.standin.grants import Grants
from libs.xero.standin.holdings import Holdings
from libs.xero.standin.identity import Identity
from libs.xero.standin.settings import ClockShift, SettingsStore
from libs.xero.standin.store import Store

REQUEST_MAX_BYTES: Final = 256_000_000
"""Bytes of one request: 5,000 bills with a file each, in base64."""

STOP_SECONDS: Final = 1.0
"""Seconds that requests in flight get when the stand-in stops; one that is held by a fault would wait for ever."""


@dataclass(frozen=True)
class Standin:
    """A stand-in that is listening.

    Attributes:
        url: Its one address, such as `http://127.0.0.1:4711`.
        clock: Its time, to be moved forward.
    """

    url: str
    clock: ShiftedClock

    @property
    def endpoints(self) -> Endpoints:
        """Where its parts are, for the client and for OAuth."""
        return endpoints_at(self.url)


@asynccontextmanager
async def running_standin(
    *, store: str | Path = ":memory:", clock: ShiftedClock | None = None, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Standin]:
    """A stand-in for as long as the context lasts.

    Args:
        store: The SQLite file that keeps its state, or `:memory:`.
        clock: Its time. Without one it has its own, and goes on from where the store's clock had been moved to.
        host: The address to listen on.
        port: 0 takes a free one.
    """
    kept = Store(str(store))
    try:
        if clock is None:
            clock = ShiftedClock()
            clock.advance(SettingsStore(kept).get(ClockShift).advance_seconds)
        runner = web.AppRunner(
            _application(kept, clock), access_log=None, handler_cancellation=True, shutdown_timeout=STOP_SECONDS
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            yield Standin(url=f"http://{host}:{runner.addresses[0][1]}", clock=clock)
        finally:
            await runner.cleanup()
    finally:
        kept.close()


def _application(store: Store, clock: ShiftedClock) -> web.Application:
    settings, budgets, faults = SettingsStore(store), Budgets(), Faults()
    holdings, grants = Holdings(store), Grants(store, clock)
    attachments = Attachments(store, holdings)
    gate = Gate(grants, settings, budgets, faults, clock)
    control = Control(
        store=store,
        holdings=holdings,
        attachments=attachments,
        grants=grants,
        settings=settings,
        budgets=budgets,
        faults=faults,
        gate=gate,
        clock=clock,
    )
    application = web.Application(middlewares=[gate.middleware], client_max_size=REQUEST_MAX_BYTES)
    application.add_routes(Identity(grants, holdings, settings).routes())
    application.add_routes(Accounting(holdings, attachments, clock).routes())
    application.add_routes(control.routes())
    return application
