"""Every service in one process: wired, listening, working. No rule lives here."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
from aiohttp import web

from libs.bus.embedded import Consumer
from libs.runtime.clock import Clock
from libs.runtime.listen import bound_socket
from libs.runtime.worker import Worker
from well.home import Installation
from well.settings import Settings
from well.status import Status, status_routes
from well.storage import Storage, opened_storage
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
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=settings.http_timeout_seconds))
        wiring = Wiring(installation, settings, storage, clock, http, url=url, mcp_url=mcp_url)
        services = wiring.services()
        stack.push_async_callback(services.auth.aclose)
        stack.push_async_callback(services.ingest.close)
        consumers, workers = _consumers(storage, services, clock), _workers(storage, services)
        status = Status(services.auth.workspaces, storage.ping, services, consumers, workers)
        await stack.enter_async_context(services.xero_mcp.serving(mcp))
        await _serve(stack, front, services, status)
        await stack.enter_async_context(_working(consumers, workers))
        yield AllInOne(url, services, storage, status)


def _consumers(storage: Storage, services: Services, clock: Clock) -> tuple[Consumer, ...]:
    return tuple(
        Consumer(
            subscription,
            database=storage.databases[owner],
            log=storage.log(owner),
            reader=storage.reader,
            clock=clock,
        )
        for owner, subscriptions in (
            ("ingest", services.ingest.subscriptions),
            ("matcher", services.matcher.subscriptions),
            ("pusher", services.pusher.subscriptions),
            ("console", services.console.subscriptions),
        )
        for subscription in subscriptions
    )


def _workers(storage: Storage, services: Services) -> tuple[Worker, ...]:
    return (*storage.workers, *services.ingest.workers, *services.matcher.workers, *services.pusher.workers)


@asynccontextmanager
async def _working(consumers: tuple[Consumer, ...], workers: tuple[Worker, ...]) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for consumer in consumers:
            group.create_task(consumer.run(stop))
        for worker in workers:
            group.create_task(worker.run(stop))
        try:
            yield
        finally:
            stop.set()


async def _serve(stack: AsyncExitStack, bound: socket.socket, services: Services, status: Status) -> None:
    """One server for browsers and probes: auth's pages, the callback of ingest, and the status."""
    app = services.auth.app
    for route in services.ingest.app.router.routes():
        if route.resource is not None and route.method != "HEAD":
            app.router.add_route(route.method, route.resource.canonical, route.handler)
    app.add_routes(status_routes(status, services.auth.workspace_of))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, bound).start()


def _localhost(bound: socket.socket) -> str:
    """The name Xero accepts in a redirect; it refuses 127.0.0.1. Source: developer.xero.com, auth flow."""
    return f"http://localhost:{bound.getsockname()[1]}"
