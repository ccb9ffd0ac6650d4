"""Every service in one process: wired, listening, working. No rule lives here."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import httpx

from libs.bus.carrier import Carrier
from libs.runtime.clock import Clock
from libs.runtime.health import Health
from libs.runtime.listen import bound_socket
from libs.runtime.serving import serving
from libs.runtime.tls import authorities
from libs.runtime.worker import Worker
from libs.runtime.working import working
from well.forgetting import forgetting
from well.home import Installation
from well.settings import Settings
from well.status import Status, status_routes
from well.storage import Storage, opened_storage
from well.transport import stored_positions, transport_of
from well.wiring import Services, Wiring


@dataclass(frozen=True)
class AllInOne:
    """A process that does everything.

    Attributes:
        url: Where browsers and probes reach it.
        services: The services.
        storage: What they keep.
        status: How they stand.
    """

    url: str
    services: Services
    storage: Storage
    status: Status


@asynccontextmanager
async def running_well(installation: Installation, settings: Settings, clock: Clock) -> AsyncIterator[AllInOne]:
    """Everything, as long as the block lasts; what is under way when it ends is finished first.

    Raises:
        ExceptionGroup: A consumer or a worker ended with an error that no pause helps; the block is cancelled.
        Rejected: The installation's folder or key file cannot be used.
        Transient: Postgres does not answer.
    """
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(
            opened_storage(installation, clock, database_url=settings.database_url)
        )
        front, mcp = bound_socket(installation.port("front")), bound_socket(installation.port("xero_mcp"))
        url, mcp_url = _localhost(front), _localhost(mcp)
        http = await stack.enter_async_context(
            httpx.AsyncClient(verify=authorities(), timeout=settings.http_timeout_seconds)
        )
        services = Wiring(settings, storage, clock, http, installation.blobs, url=url, mcp_url=mcp_url).services()
        stack.push_async_callback(services.auth.aclose)
        stack.push_async_callback(services.ingest.close)
        carriers = _carriers(storage, services, clock)
        workers = (*_workers(storage, services), *forgetting(storage, services.auth.erased, installation.blobs))
        status = Status(_health(storage, services, carriers, workers), services.auth.workspaces, services)
        await stack.enter_async_context(services.xero_mcp.serving(mcp))
        await _serve(stack, front, services, status)
        await stack.enter_async_context(working((*carriers, *workers)))
        yield AllInOne(url, services, storage, status)


def _carriers(storage: Storage, services: Services, clock: Clock) -> tuple[Carrier, ...]:
    return tuple(
        carrier
        for owner, subscriptions in (
            ("ingest", services.ingest.subscriptions),
            ("matcher", services.matcher.subscriptions),
            ("pusher", services.pusher.subscriptions),
            ("console", services.console.subscriptions),
        )
        for carrier in transport_of(owner, storage, clock)(subscriptions)
    )


def _workers(storage: Storage, services: Services) -> tuple[Worker, ...]:
    return (*storage.workers, *services.ingest.workers, *services.matcher.workers, *services.pusher.workers)


def _health(storage: Storage, services: Services, carriers: tuple[Carrier, ...], workers: tuple[Worker, ...]) -> Health:
    return Health(
        "all",
        checks=(storage.check,),
        carriers=carriers,
        workers=workers,
        positions=partial(stored_positions, storage),
        budgets=services.xero_mcp.budgets,
    )


async def _serve(stack: AsyncExitStack, bound: socket.socket, services: Services, status: Status) -> None:
    """One server for browsers and probes: auth's pages, those of ingest, and the status."""
    app = services.auth.app
    for route in services.ingest.app.router.routes():
        if route.resource is not None and route.method != "HEAD":
            app.router.add_route(route.method, route.resource.canonical, route.handler)
    app.add_routes(status_routes(status, services.auth.workspace_of))
    await stack.enter_async_context(serving(app, bound))


def _localhost(bound: socket.socket) -> str:
    """The name Xero accepts in a redirect; it refuses 127.0.0.1. Source: developer.xero.com, auth flow."""
    return f"http://localhost:{bound.getsockname()[1]}"
