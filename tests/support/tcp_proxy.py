"""A link between a client and a server that a test can cut and mend."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

_CHUNK_BYTES: Final = 65536

PRODUCE: Final = 0
OFFSET_FETCH: Final = 9
"""What a request of Kafka begins with that brings messages, or asks for a group's positions, behind its length of four
bytes. Source: https://kafka.apache.org/protocol#protocol_api_keys"""


class TcpProxy:
    """Passes bytes between those who connect and a server.

    While it is cut, connections that stood hang with nothing passing either way, as behind a router that went dark,
    and new ones are accepted and hang too. Bytes already read are passed on after mending; nothing is lost or repeated,
    unless one side has given up meanwhile.

    Attributes:
        kept_seconds: How long requests are kept, by what they begin with; only where the server is Kafka, and only on
            connections that are made while there are some.
    """

    def __init__(self, server_host: str, server_port: int) -> None:
        self.kept_seconds: dict[int, float] = {}
        self._server = (server_host, server_port)
        self._whole = asyncio.Event()
        self._whole.set()
        self._links: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Let nothing pass from now on."""
        self._whole.clear()

    def mend(self) -> None:
        """Let everything pass again."""
        self._whole.set()

    async def link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        try:
            await self._whole.wait()
            there_reader, there_writer = await asyncio.open_connection(*self._server)
            try:
                await self._pass_both_ways(reader, writer, there_reader, there_writer)
            finally:
                there_writer.close()
        except (OSError, asyncio.CancelledError):
            pass  # the server is down, or the test is over: this end closes as well
        finally:
            writer.close()
            self._links.discard(task)

    async def _pass_both_ways(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        there_reader: asyncio.StreamReader,
        there_writer: asyncio.StreamWriter,
    ) -> None:
        ways = [
            asyncio.ensure_future((self._pass_requests if self.kept_seconds else self._pass_on)(reader, there_writer)),
            asyncio.ensure_future(self._pass_on(there_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(_CHUNK_BYTES):
                await self._whole.wait()
                writer.write(chunk)
                await writer.drain()

    async def _pass_requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                length = await reader.readexactly(4)
                request = await reader.readexactly(int.from_bytes(length))
                with suppress(TimeoutError):
                    async with asyncio.timeout(self.kept_seconds.get(int.from_bytes(request[:2]), 0)):
                        await asyncio.Event().wait()
                writer.write(length + request)
                await writer.drain()

    async def end(self) -> None:
        """Close every link."""
        for link in self._links:
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)


@asynccontextmanager
async def proxied(listen_port: int, *, to_port: int) -> AsyncIterator[TcpProxy]:
    """A link from one port of this machine to another."""
    proxy = TcpProxy("127.0.0.1", to_port)
    server = await asyncio.start_server(proxy.link, "127.0.0.1", listen_port)
    try:
        yield proxy
    finally:
        server.close()
        await proxy.end()
        await server.wait_closed()
