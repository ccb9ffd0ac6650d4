"""An address on this machine where a command waits for a browser to tell it how a visit ended.

It reads `http://localhost:PORT/...`, by name: Xero refuses `http://127.0.0.1` (developer.xero.com, OAuth 2.0). What
the browser brings is a word and a sentence and opens nothing; the path is chance, so that no other page can say it.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Final

from aiohttp import web

from libs.runtime.serving import serving

SENTENCE_MAX: Final = 600
"""Codepoints of a sentence that are shown: as long as ours ever are."""

_PAGE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Well</title>'
    '<body style="font:17px/1.55 system-ui,sans-serif;margin:4rem auto;max-width:34rem;padding:0 1.5rem">'
    '<p role="status">{said} You can close this window.</p></body>'
)
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}


@dataclass(frozen=True)
class Ending:
    """How a visit ended: `connected`, `refused` or `failed`, then with a sentence."""

    outcome: str
    sentence: str


@dataclass
class Loopback:
    """The address, and what comes to it."""

    url: str
    _ended: asyncio.Queue[Ending] = field(default_factory=lambda: asyncio.Queue(1))

    async def ending(self) -> Ending:
        """How the visit ended, as soon as the browser tells."""
        return await self._ended.get()

    async def tell(self, request: web.Request) -> web.Response:
        """Take it in, and thank the browser."""
        ending = Ending(request.query.get("outcome", ""), request.query.get("sentence", "")[:SENTENCE_MAX])
        if self._ended.empty():
            self._ended.put_nowait(ending)
        said = {"connected": "Connected.", "refused": "Nothing was connected."}.get(ending.outcome, ending.sentence)
        return web.Response(text=_PAGE.format(said=escape(said)), content_type="text/html", headers=_HEADERS)


@asynccontextmanager
async def waiting_loopback() -> AsyncIterator[Loopback]:
    """An address of this block's own, as long as it lasts."""
    bound, path = socket.create_server(("127.0.0.1", 0)), f"/{secrets.token_urlsafe(16)}"
    loopback = Loopback(f"http://localhost:{bound.getsockname()[1]}{path}")
    app = web.Application()
    app.router.add_get(path, loopback.tell)
    async with serving(app, bound):
        yield loopback
