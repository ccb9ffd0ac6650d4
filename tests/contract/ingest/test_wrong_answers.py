"""A server that says too much, or what cannot be: it costs neither memory nor more than a sentence."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from aiohttp import web
from mcp.shared.auth import OAuthToken
from mcp_types import CallToolResult

from libs.contracts.errors import Malformed, Transient
from libs.runtime.clock import ManualClock
from libs.runtime.listen import bound_socket, port_of
from libs.runtime.serving import serving
from services.ingest.adapters import mcp_xero
from services.ingest.adapters.mcp_bearer import LIFE_MAX_SECONDS, TURN, RefreshingBearer, tokens_of
from services.ingest.adapters.mcp_grant import Grant, GrantKeeper
from services.ingest.adapters.mcp_http import WORDS_MAX_BYTES, bounded_client
from services.ingest.adapters.mcp_session import ANSWER_MAX_BYTES, McpSession
from tests.contract.ingest.conftest import NOW, Kept

pytestmark = pytest.mark.parametrize("backend", ["memory"], indirect=True)


@dataclass
class Babbler:
    """Answers every request with pieces of something, as JSON."""

    piece: bytes = b" " * 65_536
    pieces: int = 10_000
    headers: dict[str, str] = field(default_factory=dict)
    sent_bytes: int = 0
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """So many pieces, or as many as are taken."""
        response = web.StreamResponse(headers={"Content-Type": "application/json", **self.headers})
        await response.prepare(request)
        for _ in range(self.pieces):
            await response.write(self.piece)
            self.sent_bytes += len(self.piece)
        return response


@asynccontextmanager
async def babbling(babbler: Babbler) -> AsyncIterator[Babbler]:
    """It, listening."""
    app, bound = web.Application(), bound_socket()
    app.router.add_route("*", "/{path:.*}", babbler.answer)
    babbler.url = f"http://127.0.0.1:{port_of(bound)}"
    async with serving(app, bound):
        yield babbler


PACKED = {"Content-Encoding": "gzip"}


@pytest.mark.parametrize(
    "babbler", [Babbler(), Babbler(gzip.compress(b" " * 50_000_000), 1, PACKED)], ids=["endless", "packed"]
)
async def test_no_answer_of_an_mcp_server_fills_our_memory(kept: Kept, babbler: Babbler) -> None:
    del kept
    async with babbling(babbler):
        session = McpSession(f"{babbler.url}/mcp", httpx2.Auth())
        with pytest.raises(Transient, match=r"ended \(ReadError\)"):
            await session.call("list_invoices", {})
        await session.close()
    assert babbler.sent_bytes < ANSWER_MAX_BYTES + 8_000_000  # and what lies in sockets


async def test_no_answer_of_an_authorization_server_does_either(kept: Kept) -> None:
    async with babbling(Babbler()) as babbler:
        http = bounded_client(httpx2.Timeout(5), WORDS_MAX_BYTES)
        keeper = GrantKeeper(kept.database, kept.store, kept.sealer, kept.workspace, "server")
        await keeper.save(a_grant(babbler.url))
        session = McpSession("http://127.0.0.1:9/mcp", RefreshingBearer(keeper, http, kept.clock))
        with pytest.raises(Transient, match="could not be asked for a token"):
            await session.call("list_invoices", {})
        await session.close()
        await http.aclose()
    assert babbler.sent_bytes < WORDS_MAX_BYTES + 8_000_000
    async with kept.database.transaction(kept.workspace) as tx:  # and its turn is over
        now = kept.clock.now()
        assert await kept.store.grants.take_turn(tx, "server", now=now, until=now, longest=NOW + 2 * TURN)


def a_grant(url: str) -> Grant:
    return Grant(
        issuer=url,
        token_endpoint=f"{url}/token",
        resource=f"{url}/mcp",
        registration={"client_id": "c", "redirect_uris": [f"{url}/back"]},
        access_token="old",  # noqa: S106 opens nothing
        refresh_token="spent",  # noqa: S106 opens nothing
        expires_at=NOW,
    )


@pytest.mark.parametrize(
    ("said", "lives"),
    [(None, None), (300, 300), (0, 0), (-1, 0), (-(10**18), 0), (10**18, LIFE_MAX_SECONDS), (86_401, LIFE_MAX_SECONDS)],
)
async def test_a_tokens_life_is_believed_within_reason(kept: Kept, said: int | None, lives: float | None) -> None:
    del kept
    token = OAuthToken(access_token="a", token_type="Bearer", expires_in=said)  # noqa: S106 opens nothing
    ends = tokens_of(token, ManualClock(NOW))["expires_at"]
    assert (None if ends is None else (ends - NOW).total_seconds()) == lives  # type: ignore[operator]  # an instant


@pytest.mark.parametrize("pages", ["9" * 5000, "-1", "1.5", "", None, True, [1]])
async def test_a_list_of_no_believable_length_is_malformed(kept: Kept, pages: Any) -> None:  # noqa: ANN401 - JSON
    class Told(mcp_xero.XeroOverMcp):
        async def _called(self, *_: object) -> Any:  # noqa: ANN401 - JSON
            answer = {"invoices": [], "pagination": {"pageCount": pages}}
            return mcp_xero._answer_of(CallToolResult(content=[], structured_content=answer))

    reader = Told("http://127.0.0.1:9/mcp", lambda _: None, kept.clock)  # type: ignore[arg-type,return-value]  # never asked
    with pytest.raises(Malformed, match="how many pages"):
        await reader.records(kept.workspace, "bill", page=1, since=None)
    await reader.close()
