"""How much a server may say to us: the SDK bounds events (mcp 2.3), and reads everything else to its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import httpx2

from libs.runtime.tls import authorities

WORDS_MAX_BYTES: Final = 262_144
"""Bytes of what an authorization server says: metadata, a registration, tokens. Real ones have two thousand."""


def bounded_client(timeout: httpx2.Timeout, max_bytes: int, auth: httpx2.Auth | None = None) -> httpx2.AsyncClient:
    """A client whose answers have so many bytes at most; a longer one ends in a ReadError.

    An answer may not be packed: a few bytes of one could be gigabytes.
    """

    async def bound(response: httpx2.Response) -> None:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise httpx2.ReadError("the answer is packed", request=response.request)
        stream = response.stream
        if isinstance(stream, httpx2.AsyncByteStream):
            response.stream = _Bounded(stream, max_bytes, response.request)

    return httpx2.AsyncClient(
        verify=authorities(),
        auth=auth,
        timeout=timeout,
        headers={"Accept-Encoding": "identity"},
        event_hooks={"response": [bound]},
    )


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, max_bytes: int, request: httpx2.Request) -> None:
        self._stream = stream
        self._left_bytes = max_bytes
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self._left_bytes -= len(piece)
            if self._left_bytes < 0:
                raise httpx2.ReadError("the answer is too long", request=self._request)
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
