"""Serves an application of aiohttp to those who send what they have to say."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware

GOODBYE_SECONDS: Final = 5.0
"""Seconds that requests under way have when a server stops; the longest is a visit to a provider."""

REQUEST_SECONDS: Final = 75.0
"""Seconds in which a request has to be here, its head and then its body; a connection may lie idle as long. Ours take
milliseconds, and whoever sends a byte a minute would hold as many connections as they like, for as long as they like.
More than the minute for which proxies commonly keep a connection to use it again: none is closed under them."""


@asynccontextmanager
async def serving(
    app: web.Application, bound: socket.socket, *, request_seconds: float = REQUEST_SECONDS
) -> AsyncIterator[None]:
    """Serve on a bound socket as long as the block lasts.

    A connection whose next head is late is closed; a body that is late is answered with 408, whatever was to be done
    with it. How long an answer takes is the handler's matter.
    """
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    app.middlewares.append(_bodies_within(request_seconds))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=GOODBYE_SECONDS, keepalive_timeout=request_seconds)
    await runner.setup()
    try:
        await web.SockSite(runner, bound).start()
        yield
    finally:
        await runner.cleanup()


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether aiohttp tells of an error here. Bytes that are no request, or no packed body, are their sender's."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError | web.RequestPayloadError))


def _bodies_within(seconds: float) -> Middleware:
    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.content.is_eof():
            return await handler(request)
        limit = asyncio.timeout(seconds)

        def here() -> None:
            with suppress(RuntimeError):  # the answer was given before the body was here
                limit.reschedule(None)

        try:
            async with limit:
                request.content.on_eof(here)
                return await handler(request)
        except TimeoutError:
            if not limit.expired():
                raise
            raise web.HTTPRequestTimeout(reason="The request did not arrive in time.") from None
        except ConnectionResetError:  # by the client, while it was read; it goes into no log as an error of ours
            raise web.HTTPBadRequest(reason="The request broke off.") from None

    return answer
