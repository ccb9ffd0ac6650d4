"""An open MCP session that outlives the calls made on it.

The SDK wants a session closed by the task that opened it, and an error in one request's authentication ends the whole
session with an exception group in that task while its callers only hear that the connection closed. So each session
has a task of its own that holds it open, and callers are told what that task died of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CONNECTION_CLOSED, CallToolResult
from pydantic import ValidationError

from libs.contracts.errors import Malformed, Transient, WellError
from services.ingest.adapters.mcp_http import bounded_client

CALL_SECONDS: Final = 120.0
"""Seconds for one call. The server may wait for Xero's next minute, and Xero takes a few more for a page of 1,000."""

ANSWER_MAX_BYTES: Final = 48 * 1024 * 1024
"""Bytes of one answer: an attachment of 25 MB in base64 is 34 MB, and JSON escapes none of it."""

_GOODBYE_SECONDS: Final = 5.0
"""Seconds to close a session, or to learn why it closed. Both are local matters of milliseconds."""


class McpSession:
    """One session, open until its first error below the tools. It never comes back: open another."""

    def __init__(self, url: str, auth: httpx2.Auth) -> None:
        self._url = url
        self._auth = auth
        self._stop = asyncio.Event()
        self._open: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._owner = asyncio.create_task(self._own())

    @property
    def ended(self) -> bool:
        """Whether it has ended, or was given up."""
        return self._owner.done() or self._stop.is_set()

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> CallToolResult:
        """Call a tool.

        Raises:
            ConsentLost: As the authentication raises it.
            Transient: The server could not be reached, or the session ended under the call.
            Malformed: The answer is none of MCP.
        """
        ready: set[asyncio.Future[Any]] = {self._owner, self._open}
        await asyncio.wait(ready, return_when=asyncio.FIRST_COMPLETED)
        if self._owner.done():
            raise self._end()
        try:
            return await self._open.result().call_tool(tool, dict(arguments))
        except (ValidationError, RuntimeError):
            # The SDK raises RuntimeError for content that breaks the schema the tool itself declared.
            raise Malformed("The Xero server's answer is not one of MCP.", code="unexpected_shape") from None
        except MCPError as error:
            # Given up, whatever it was: a server that was started anew may never know this session again.
            self._stop.set()
            if error.code == CONNECTION_CLOSED:
                await asyncio.wait({self._owner}, timeout=_GOODBYE_SECONDS)
            if self._owner.done():
                raise self._end() from None
            raise Transient("The Xero server refused a call below the tools; a new session is opened.") from None

    async def close(self) -> None:
        """Close it; calls under way fail."""
        self._stop.set()
        _, late = await asyncio.wait({self._owner}, timeout=_GOODBYE_SECONDS)
        if late:
            self._owner.cancel()
            await asyncio.wait({self._owner})
        if not self._owner.cancelled():
            self._owner.exception()
        self._open.cancel()

    async def _own(self) -> None:
        transport_timeout = httpx2.Timeout(CALL_SECONDS, connect=10.0)
        async with bounded_client(transport_timeout, ANSWER_MAX_BYTES, self._auth) as http:
            transport = streamable_http_client(self._url, http_client=http, max_sse_event_size=ANSWER_MAX_BYTES)
            async with Client(transport, read_timeout_seconds=CALL_SECONDS) as client:
                self._open.set_result(client)
                await self._stop.wait()

    def _end(self) -> WellError:
        error = None if self._owner.cancelled() else self._owner.exception()
        for cause in _leaves(error):
            if isinstance(cause, WellError):
                return cause
        names = ", ".join(sorted({type(cause).__name__ for cause in _leaves(error)})) or "closed"
        return Transient(f"The session with the Xero server ended ({names}).")


def _leaves(error: BaseException | None) -> list[BaseException]:
    """The errors inside a group, however deep; an error by itself is its own leaf."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [] if error is None else [error]
