"""Serves xero_mcp in somebody else's process and loop, to those who send what they have to say."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Final

import h11
import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from libs.runtime.serving import REQUEST_SECONDS

GOODBYE_SECONDS: Final = 5
"""Seconds that requests under way have when the server stops; a page of Xero takes one or two. A client tries again."""


@contextlib.asynccontextmanager
async def serving(
    app: Starlette, bound: socket.socket, *, request_seconds: float = REQUEST_SECONDS
) -> AsyncIterator[None]:
    """Serve on a bound socket until the block ends. A connection whose next request is late is closed."""
    # Without it a small answer waits 40 ms for the client's delayed acknowledgement; accepted sockets inherit it.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = _GuestServer(
        uvicorn.Config(
            app,
            http=_within(request_seconds),
            log_config=None,
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=GOODBYE_SECONDS,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[bound]))
    ready = asyncio.create_task(server.ready.wait())
    try:
        await asyncio.wait((task, ready), return_when=asyncio.FIRST_COMPLETED)
        yield
    finally:
        ready.cancel()
        server.should_exit = True
        await task


class _GuestServer(uvicorn.Server):
    """A server in somebody else's process: it leaves signals to its host, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen."""
        await super().startup(sockets)
        self.ready.set()


def _within(seconds: float) -> type[H11Protocol]:
    """A connection that ends when a request is not here whole in time. Uvicorn's own waits for ever (0.54)."""

    class Connection(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
            super().connection_made(transport)
            self.late = self.loop.call_later(seconds, self.end_if_late)

        def on_response_complete(self) -> None:
            self.late.cancel()
            self.late = self.loop.call_later(seconds, self.end_if_late)
            super().on_response_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            self.late.cancel()
            super().connection_lost(exc)

        def end_if_late(self) -> None:
            if self.conn.their_state in {h11.IDLE, h11.SEND_BODY}:
                self.transport.close()

    return Connection
