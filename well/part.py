"""A service as a process of its own runs it: what it hears, does and serves. No rule lives here."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp import web
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from libs.bus.port import Subscription
from libs.runtime.health import Health
from libs.runtime.health_http import ANSWERS, Answer, health_routes
from libs.runtime.serving import serving
from libs.runtime.standing import BudgetStanding
from libs.runtime.worker import Worker
from well.wiring import Wiring

if TYPE_CHECKING:
    from services.auth.inside import Inside
    from services.auth.main import AuthService
    from services.xero_mcp.main import XeroMcpService

Serve = Callable[[socket.socket, Health], AbstractAsyncContextManager[None]]
"""Serves on a bound socket, the answers about health among the rest, as long as the block lasts."""


@dataclass(frozen=True)
class Part:
    """One service.

    Attributes:
        serve: Its HTTP.
        subscriptions: What it hears.
        workers: What it does again and again.
        budgets: What is left of providers' budgets.
        close: Closes what it opened.
    """

    serve: Serve
    subscriptions: tuple[Subscription, ...] = ()
    workers: tuple[Worker, ...] = ()
    budgets: Callable[[], Sequence[BudgetStanding]] = tuple
    close: Callable[[], Awaitable[None]] | None = None


def part_of_auth(auth: AuthService) -> Part:
    """Auth: its pages for browsers, and its answers to services, which the caller has opened."""
    return Part(over_aiohttp(auth.app), auth.subscriptions, auth.workers, close=auth.aclose)


def _xero_mcp(wiring: Wiring, auth: Inside) -> Part:
    service = wiring.xero_mcp(auth)
    return Part(_over_starlette(service), service.subscriptions, service.workers, service.budgets)


def _ingest(wiring: Wiring, auth: Inside) -> Part:
    service = wiring.ingest(auth)
    return Part(over_aiohttp(service.app), service.subscriptions, service.workers, close=service.close)


def _matcher(wiring: Wiring, auth: Inside) -> Part:
    service = wiring.matcher(auth)
    return Part(over_aiohttp(web.Application()), service.subscriptions, service.workers)


def _pusher(wiring: Wiring, auth: Inside) -> Part:
    service = wiring.pusher(auth)
    return Part(over_aiohttp(web.Application()), service.subscriptions, service.workers)


def _console(wiring: Wiring, _: Inside) -> Part:
    service = wiring.console()
    return Part(over_aiohttp(web.Application()), service.subscriptions, service.workers)


PARTS: Final[dict[str, Callable[[Wiring, Inside], Part]]] = {
    "xero_mcp": _xero_mcp,
    "ingest": _ingest,
    "matcher": _matcher,
    "pusher": _pusher,
    "console": _console,
}
"""How each service that asks auth is put together."""


def over_aiohttp(app: web.Application) -> Serve:
    """An application of aiohttp, with the answers about health."""

    @asynccontextmanager
    async def serve(bound: socket.socket, health: Health) -> AsyncIterator[None]:
        app.add_routes(health_routes(health, ANSWERS))
        async with serving(app, bound):
            yield

    return serve


def _over_starlette(service: XeroMcpService) -> Serve:
    @asynccontextmanager
    async def serve(bound: socket.socket, health: Health) -> AsyncIterator[None]:
        for path, answer in ANSWERS.items():
            service.app.router.routes.append(Route(path, _endpoint(answer, health), methods=["GET"]))
        async with service.serving(bound):
            yield

    return serve


def _endpoint(
    answer: Callable[[Health], Awaitable[Answer]], health: Health
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(_: Request) -> Response:
        told = await answer(health)
        return Response(told.text, told.status, media_type=told.content_type)

    return endpoint
