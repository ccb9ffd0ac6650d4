"""Requests that never arrive whole, at both servers that we run: they hold nothing for long, and nobody else up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Literal

import pytest
from aiohttp import web
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from libs.runtime.listen import bound_socket, port_of
from libs.runtime.serving import serving
from services.xero_mcp.api import server as asgi
from tests.support.until import DEADLINE_SECONDS, until

SECONDS = 0.3

WHOLE = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"

LATE = (
    WHOLE + b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\na",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nff\r\na",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\na",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: ",
    b"GET /",
    b"",
)


@dataclass
class Running:
    """A server that reads what it gets, and answers as soon as it is told to."""

    port: int
    told: asyncio.Event = field(default_factory=asyncio.Event)
    bodies: list[bytes] = field(default_factory=list)
    reading: int = 0

    @contextmanager
    def _reading(self) -> Iterator[None]:
        self.reading += 1
        try:
            yield
        finally:
            self.reading -= 1

    async def of_aiohttp(self, request: web.Request) -> web.Response:
        with self._reading():
            self.bodies.append(await request.read())
        await self.told.wait()
        return web.Response(text="done")

    async def of_starlette(self, request: Request) -> Response:
        self.bodies.append(await request.body())
        await self.told.wait()
        return Response("done")


@asynccontextmanager
async def running(kind: Literal["aiohttp", "uvicorn"]) -> AsyncIterator[Running]:
    bound = bound_socket()
    running = Running(port_of(bound))
    if kind == "aiohttp":
        app = web.Application()
        app.router.add_post("/", running.of_aiohttp)
        server = serving(app, bound, request_seconds=SECONDS)
    else:
        routes = [Route("/", running.of_starlette, methods=["POST"])]
        server = asgi.serving(Starlette(routes=routes), bound, request_seconds=SECONDS)
    async with server:
        yield running


@pytest.mark.parametrize("kind", ["aiohttp", "uvicorn"])
async def test_a_request_that_does_not_arrive_is_not_waited_for_however_slowly_it_goes_on(
    kind: Literal["aiohttp", "uvicorn"],
) -> None:
    async with running(kind) as server:
        server.told.set()
        for sent in LATE:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(sent)
            if sent.startswith(WHOLE):
                assert b"done" in await reader.readuntil(b"done")
            answer = asyncio.create_task(_first_of(reader))

            async def ended(
                writer: asyncio.StreamWriter = writer, sent: bytes = sent, answer: asyncio.Task[bytes] = answer
            ) -> bool:
                if sent and not answer.done():
                    writer.write(b"a")
                return answer.done()

            await until(ended)
            assert await answer in {b"", b"HTTP/1.1 408"}, sent
            writer.close()
        assert server.bodies == [b"ab"]


@pytest.mark.parametrize("kind", ["aiohttp", "uvicorn"])
async def test_an_answer_may_take_longer_than_a_request(kind: Literal["aiohttp", "uvicorn"]) -> None:
    async with running(kind) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(WHOLE)
        await until(lambda: _is(server.bodies == [b"ab"]))
        late, of_late = await asyncio.open_connection("127.0.0.1", server.port)
        async with asyncio.timeout(DEADLINE_SECONDS):
            assert await late.read() == b""  # by now a request would be late
        server.told.set()
        assert b" 200 " in await reader.readuntil(b"done")
        writer.close()
        of_late.close()


async def test_a_client_that_leaves_in_the_middle_is_no_error_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    async with running("aiohttp") as server:
        for half in LATE[1:3]:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(half)
            await until(lambda: _is(server.reading == 1))
            writer.close()
            await until(lambda: _is(server.reading == 0))
            assert not await reader.read()
    assert (server.bodies, caplog.records) == ([], [])


async def test_bytes_that_are_no_request_fill_no_log_with_errors(caplog: pytest.LogCaptureFixture) -> None:
    async with running("aiohttp") as server:
        for nonsense, status in (
            (b"\xff\xfe\r\n\r\n", b" 400 "),
            (b"GET /\xff HTTP/1.1\r\n\r\n", b" 400 "),
            (WHOLE.replace(b": 2", b": -2"), b" 400 "),
            (WHOLE.replace(b"POST /", b"POST /a").replace(b"Host", b"Content-Encoding: gzip\r\nHost"), b" 404 "),
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(nonsense)
            assert status in await reader.read()
            writer.close()
    assert caplog.records == []


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system has no such bound")
async def test_an_answer_that_nobody_takes_is_not_held() -> None:
    ended = asyncio.Event()

    async def pour(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        try:
            while True:
                await answer.write(b"a" * 65_536)
        finally:
            ended.set()

    app, bound = web.Application(), bound_socket(unread_seconds=SECONDS)
    app.router.add_get("/", pour)
    async with serving(app, bound):
        with socket.create_connection(("127.0.0.1", port_of(bound))) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            async with asyncio.timeout(DEADLINE_SECONDS):
                await ended.wait()


async def _first_of(reader: asyncio.StreamReader) -> bytes:
    """The start of an answer; nothing when the connection ends, also with bytes of ours on their way."""
    try:
        return await reader.read(12)
    except ConnectionResetError:
        return b""


async def _is(truth: bool) -> bool:  # noqa: FBT001 what is polled for
    return truth
