"""Token endpoints that answer 200 with something else than tokens: nothing of it is kept, and the consent lives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from libs.contracts.errors import Rejected, Transient
from libs.runtime.clock import ManualClock
from libs.runtime.listen import bound_socket, port_of
from libs.runtime.serving import serving
from services.auth.adapters.accounts import QontoAccounts
from services.auth.adapters.authorization_server import (
    LONGEST_LIFE,
    SHORTEST_LIFE,
    AuthorizationServer,
    RegisteredApp,
    ServerAddresses,
)
from services.auth.domain.connection import REFRESH_BELOW, TokenPair
from services.auth.ports import ProviderProfile
from tests.support.dripping import dripping
from tests.unit.auth.test_connection import NOW

PATIENCE_SECONDS = 1.0
"""For one call, instead of ten seconds."""

GOOD: dict[str, Any] = {"access_token": "fresh", "refresh_token": "next", "expires_in": 3600, "scope": "a b"}


@asynccontextmanager
async def answering(say: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[AuthorizationServer]:
    """The client of a server that answers everything so."""
    app, bound = web.Application(), bound_socket()
    app.router.add_route("*", "/{path:.*}", say)
    url = f"http://localhost:{port_of(bound)}"
    async with serving(app, bound):
        yield AuthorizationServer(
            profile=ProviderProfile("qonto", ("a",), 60),
            app=RegisteredApp("id", "secret", f"{url}/callback"),
            addresses=ServerAddresses(url, url, url),
            client_authentication="client_secret_post",
            accounts=QontoAccounts.__new__(QontoAccounts),
            clock=ManualClock(NOW),
            call_seconds=PATIENCE_SECONDS,
        )


async def refreshed(answer: web.Response) -> TokenPair:
    async def say(_: web.Request) -> web.Response:
        return answer

    async with answering(say) as server:
        return await server.refresh("spent")


async def test_an_answer_that_does_not_end_is_given_up_before_the_lease_is_over() -> None:
    async with answering(dripping(PATIENCE_SECONDS / 4)) as server, asyncio.timeout(10 * PATIENCE_SECONDS):
        with pytest.raises(Transient, match="did not answer"):
            await server.refresh("spent")


async def test_a_good_answer_is_taken_as_it_is() -> None:
    pair = await refreshed(web.json_response(GOOD))
    assert (pair.access, pair.refresh, pair.scopes) == ("fresh", "next", ("a", "b"))
    assert pair.expires_at == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"access_token": None},
        {"access_token": ""},
        {"access_token": 7},
        {"access_token": ["fresh"]},
        {"access_token": "two words"},
        {"access_token": "line\nbreak"},
        {"access_token": "clé"},
        {"access_token": "a" * 100_000},
        {"refresh_token": 7},
        {"refresh_token": ""},
        {"refresh_token": "line\nbreak"},
    ],
)
async def test_tokens_that_are_none_are_not_kept(wrong: dict[str, Any]) -> None:
    with pytest.raises(Transient, match="not its JSON"):
        await refreshed(web.json_response({**GOOD, **wrong}))


@pytest.mark.parametrize("life", [None, 0, -5, 1, 119, 10**30, "3600000000000", True, [], 1e300])
async def test_a_life_that_no_provider_gives_is_not_believed(life: object) -> None:
    pair = await refreshed(web.json_response({**GOOD, "expires_in": life}))
    assert pair.expires_at == NOW + SHORTEST_LIFE
    assert SHORTEST_LIFE > REFRESH_BELOW  # or each token would be refreshed as soon as it came
    assert timedelta(hours=1) <= LONGEST_LIFE


@pytest.mark.parametrize("scope", [None, 7, ["a"], {"a": 1}, ""])
async def test_scopes_that_are_no_text_are_those_asked_for(scope: object) -> None:
    assert (await refreshed(web.json_response({**GOOD, "scope": scope}))).scopes == ("a",)


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(text="<html>Sign in</html>", content_type="text/html"),
        web.Response(body=b""),
        web.Response(body=b"\xff\xfe"),
        web.json_response([]),
        web.json_response("fresh"),
        web.json_response(None),
        web.json_response({}),
        web.json_response({"errors": [{"code": "unauthorized"}]}, status=401),
        web.Response(text="<html>Forbidden</html>", content_type="text/html", status=403),
        web.json_response({"error": "access_denied"}, status=503),
        web.json_response({"error": "invalid_grant"}, status=502),
        web.Response(status=302, headers={"Location": "https://sso.example/"}),
    ],
)
async def test_an_answer_that_is_no_token_answer_is_worth_another_try(answer: web.Response) -> None:
    with pytest.raises(Transient):
        await refreshed(answer)


@pytest.mark.parametrize(("status", "word"), [(400, "invalid_grant"), (401, "token_inactive"), (401, "invalid_client")])
async def test_a_refusal_of_the_standard_or_of_hydra_keeps_its_word(status: int, word: str) -> None:
    with pytest.raises(Rejected) as refusal:
        await refreshed(web.json_response({"error": word, "error_description": "…"}, status=status))
    assert refusal.value.code == word


@pytest.mark.parametrize("word", ["access_denied", "Maison Tilleul owes EUR 1,284.00", ["invalid_grant"], {"a": 1}])
async def test_a_refusal_in_other_words_than_the_standard_is_repeated_nowhere(word: object) -> None:
    with pytest.raises(Rejected) as refusal:
        await refreshed(web.json_response({"error": word}, status=400))
    assert refusal.value.code == "refused"
    assert "Tilleul" not in refusal.value.sentence
