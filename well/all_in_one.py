"""Every service in one process: wired, listening, working. No rule lives here."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
from aiohttp import web

from libs.blobs.sealed_files import SealedFiles
from libs.bus.embedded import Consumer
from libs.qonto.client import QontoClient
from libs.runtime.clock import Clock
from libs.runtime.listen import bound_socket
from libs.runtime.worker import Worker
from services.audit.flow.trail import Trail
from services.auth.adapters.authorization_server import RegisteredApp
from services.auth.adapters.postgres import PostgresAuthStore
from services.auth.adapters.providers import qonto_server, xero_server
from services.auth.config import AuthSettings
from services.auth.main import AuthService
from services.auth.main import build as build_auth
from services.console.main import ConsoleService
from services.console.main import build as build_console
from services.ingest.config import IngestSettings
from services.ingest.main import IngestService
from services.ingest.main import build as build_ingest
from services.matcher.main import MatcherService
from services.matcher.main import build as build_matcher
from services.pusher.config import PusherConfig
from services.pusher.main import PusherService
from services.pusher.main import build as build_pusher
from services.xero_mcp.adapters.postgres import PostgresXeroMcpStore
from services.xero_mcp.config import XeroMcpSettings
from services.xero_mcp.main import XeroMcpService
from services.xero_mcp.main import build as build_xero_mcp
from well.home import Installation
from well.settings import Settings
from well.status import Status, status_routes
from well.storage import Storage, opened_storage


@dataclass(frozen=True)
class Services:
    """The services of one process."""

    auth: AuthService
    xero_mcp: XeroMcpService
    ingest: IngestService
    matcher: MatcherService
    pusher: PusherService
    console: ConsoleService
    trail: Trail


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
        services = await _services(stack, installation, settings, storage, clock, url=url, mcp_url=mcp_url)
        consumers, workers = _consumers(storage, services, clock), _workers(services)
        status = Status(services.auth.workspaces, services, consumers, workers)
        await stack.enter_async_context(services.xero_mcp.serving(mcp))
        await _serve(stack, front, services, status)
        await stack.enter_async_context(_working(consumers, workers))
        yield AllInOne(url, services, storage, status)


async def _services(
    stack: AsyncExitStack,
    installation: Installation,
    settings: Settings,
    storage: Storage,
    clock: Clock,
    *,
    url: str,
    mcp_url: str,
) -> Services:
    http = await stack.enter_async_context(httpx.AsyncClient(timeout=settings.http_timeout_seconds))
    blobs = SealedFiles(installation.blobs, storage.sealer)
    qonto = QontoClient(http, settings.qonto.api_url, settings.qonto_staging_token)
    auth = _auth(settings, storage, http, clock, url)
    stack.push_async_callback(auth.aclose)
    xero_mcp = build_xero_mcp(
        settings=XeroMcpSettings(url=mcp_url, limits=settings.xero_limits),
        database=storage.databases["xero_mcp"],
        store=PostgresXeroMcpStore(storage.sealer),
        lender=auth,
        consents=auth,
        endpoints=settings.xero,
        http=http,
        clock=clock,
    )
    ingest = build_ingest(
        database=storage.databases["ingest"],
        log=storage.log("ingest"),
        sealer=storage.sealer,
        blobs=blobs,
        qonto=qonto,
        lender=auth,
        workspaces=auth,
        clock=clock,
        settings=IngestSettings(
            xero_mcp_url=xero_mcp.url,
            callback_url=f"{url}/ingest/oauth/callback",
            poll_seconds=settings.poll_seconds,
            overlap_seconds=settings.overlap_seconds,
            idle_seconds=settings.idle_seconds,
            lease_seconds=settings.document_lease_seconds,
        ),
    )
    stack.push_async_callback(ingest.close)
    matcher = build_matcher(
        database=storage.databases["matcher"],
        log=storage.log("matcher"),
        sealer=storage.sealer,
        clock=clock,
        workspaces=auth,
    )
    pusher = build_pusher(
        database=storage.databases["pusher"],
        log=storage.log("pusher"),
        sealer=storage.sealer,
        clock=clock,
        blobs=blobs,
        client=qonto,
        lender=auth,
        workspaces=auth,
        config=PusherConfig(retry=settings.retry, reading=settings.reading),
    )
    console = build_console(
        database=storage.databases["console"], log=storage.log("console"), sealer=storage.sealer, clock=clock
    )
    return Services(auth, xero_mcp, ingest, matcher, pusher, console, Trail(storage.reader))


def _auth(settings: Settings, storage: Storage, http: httpx.AsyncClient, clock: Clock, url: str) -> AuthService:
    xero_app = _registered(settings.xero_client_id, settings.xero_client_secret, f"{url}/connect/xero/callback")
    qonto_app = _registered(settings.qonto_client_id, settings.qonto_client_secret, f"{url}/connect/qonto/callback")
    return build_auth(
        settings=AuthSettings(
            public_url=url,
            home_url=f"{url}/status",
            sign_in=settings.sign_in,
            open_workspace=settings.open_workspace,
            mcp_consent=settings.mcp_consent,
        ),
        database=storage.databases["auth"],
        store=PostgresAuthStore(storage.sealer),
        keyring=storage.keyring,
        log=storage.log("auth"),
        clients={
            "xero": xero_server(settings.xero, xero_app, http, clock),
            "qonto": qonto_server(settings.qonto, qonto_app, http, clock, staging_token=settings.qonto_staging_token),
        },
        clock=clock,
    )


def _registered(client_id: str, client_secret: str, redirect_uri: str) -> RegisteredApp:
    return RegisteredApp(client_id=client_id, client_secret=client_secret, redirect_uri=redirect_uri)


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


def _workers(services: Services) -> tuple[Worker, ...]:
    return (*services.ingest.workers, *services.matcher.workers, *services.pusher.workers)


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
    app.add_routes(status_routes(status))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, bound).start()


def _localhost(bound: socket.socket) -> str:
    """The name Xero accepts in a redirect; it refuses 127.0.0.1. Source: developer.xero.com, auth flow."""
    return f"http://localhost:{bound.getsockname()[1]}"
