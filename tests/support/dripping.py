"""A server whose answers never end: a byte now and then, so that no limit on a single read is ever met."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import web


def dripping(every_seconds: float) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """What such a server does with a request, until its client has gone."""

    async def drip(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b" ")
            with suppress(TimeoutError):
                async with asyncio.timeout(every_seconds):
                    await asyncio.Event().wait()

    return drip
