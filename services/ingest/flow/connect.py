"""A person connects Xero: their browser goes to the MCP server, and what it brings back is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeAlias
from uuid import UUID

import structlog

from libs.contracts.errors import Rejected, WellError

UNDER_WAY_MAX: Final = 256
"""Consents that one process waits for at once. Each is a person with a browser; more is a mistake or an attack."""

Connect: TypeAlias = Callable[[UUID, Callable[[str], Coroutine[Any, Any, None]]], Awaitable[None]]
"""Has a person consent: shows the address to go to, and returns when the grant is kept."""


class Departures:
    """Consents that browsers have left for."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._under_way: set[asyncio.Task[None]] = set()

    async def begin(self, workspace: UUID) -> str:
        """The address to send a browser to.

        Raises:
            Rejected: Too many consents are under way, or the server asks for none.
            Transient: The server could not be reached.
        """
        if len(self._under_way) >= UNDER_WAY_MAX:
            raise Rejected("Too many consents are under way; try again later.", code="too_many_consents")
        address: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def leave(url: str) -> None:
            address.set_result(url)

        task = asyncio.ensure_future(self._connect(workspace, leave))
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        waiting: set[asyncio.Future[None] | asyncio.Future[str]] = {task, address}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if address.done():
            return address.result()
        await task
        raise Rejected("The Xero server asks for no consent, which it must.", code="consent_refused")

    async def close(self) -> None:
        """Give up what is under way; whoever consents later starts again."""
        for task in self._under_way:
            task.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            why = error.sentence if isinstance(error, WellError) else None
            structlog.get_logger().warning("ingest.consent_failed", error=type(error).__name__, why=why)
