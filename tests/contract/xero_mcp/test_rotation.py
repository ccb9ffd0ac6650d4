"""Tokens of MCP clients over time: short ones, ones that rotate, stolen ones, revoked ones."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import httpx
import pytest

from tests.contract.xero_mcp.asking import buying, code_of, opens, post, refreshing, register, registered, tokens_of
from tests.contract.xero_mcp.conftest import McpStage


async def test_a_refresh_token_rotates_and_an_answer_that_was_lost_is_given_again(stage: McpStage) -> None:
    client = await registered(stage)
    first = await tokens_of(stage, client)
    lost = (await post(stage, "/token", refreshing(client, first["refresh_token"]))).json()
    assert lost["refresh_token"] != first["refresh_token"]
    again = (await post(stage, "/token", refreshing(client, first["refresh_token"]))).json()
    assert await opens(stage, again["access_token"])
    # Whoever found the lost answer holds nothing.
    assert not await opens(stage, lost["access_token"])
    assert (await post(stage, "/token", refreshing(client, lost["refresh_token"]))).json()["error"] == "invalid_grant"
    assert (await post(stage, "/token", refreshing(client, again["refresh_token"]))).status_code == httpx.codes.OK


@pytest.mark.parametrize("use", ["a call", "a refresh"])
async def test_a_rotated_token_whose_answer_was_used_ends_the_family_when_it_comes_back(
    stage: McpStage, use: str
) -> None:
    client = await registered(stage)
    first = await tokens_of(stage, client)
    newest = (await post(stage, "/token", refreshing(client, first["refresh_token"]))).json()
    if use == "a call":
        assert await opens(stage, newest["access_token"])
    else:
        newest = (await post(stage, "/token", refreshing(client, newest["refresh_token"]))).json()
    thief = await post(stage, "/token", refreshing(client, first["refresh_token"]))
    assert (thief.status_code, thief.json()["error"]) == (400, "invalid_grant")
    assert not await opens(stage, newest["access_token"])
    assert (await post(stage, "/token", refreshing(client, newest["refresh_token"]))).json()["error"] == "invalid_grant"
    assert (await stage.kept())["refresh"] == (await stage.kept())["access"] == 0


async def test_a_rotated_token_that_comes_back_after_ten_minutes_ends_the_family(stage: McpStage) -> None:
    client = await registered(stage)
    first = await tokens_of(stage, client)
    second = (await post(stage, "/token", refreshing(client, first["refresh_token"]))).json()
    stage.clock.advance(601)
    thief = await post(stage, "/token", refreshing(client, first["refresh_token"]))
    assert thief.json()["error"] == "invalid_grant"
    ended = await post(stage, "/token", refreshing(client, second["refresh_token"]))
    assert ended.json()["error"] == "invalid_grant"


async def test_of_two_who_refresh_at_once_one_pair_lives(stage: McpStage) -> None:
    client = await registered(stage)
    first = await tokens_of(stage, client)
    both = await asyncio.gather(*(post(stage, "/token", refreshing(client, first["refresh_token"])) for _ in range(2)))
    assert [answer.status_code for answer in both] == [200, 200]
    opened = [await opens(stage, answer.json()["access_token"]) for answer in both]
    assert sorted(opened) == [False, True]


async def test_a_refresh_token_of_one_client_is_nothing_to_another_and_is_not_spent_by_it(stage: McpStage) -> None:
    mine, theirs = await registered(stage), await registered(stage)
    tokens = await tokens_of(stage, theirs)
    stolen = await post(stage, "/token", refreshing(mine, tokens["refresh_token"]))
    assert stolen.json()["error"] == "invalid_grant"
    assert (await post(stage, "/token", refreshing(theirs, tokens["refresh_token"]))).status_code == httpx.codes.OK


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({"scope": "xero.read xero.write"}, "invalid_scope"),
        ({"resource": "https://elsewhere.example/mcp"}, "invalid_target"),
        ({"refresh_token": ""}, "invalid_request"),
        ({"refresh_token": "x"}, "invalid_grant"),
    ],
)
async def test_a_refresh_never_widens_what_was_granted(quick: McpStage, words: dict[str, str], error: str) -> None:
    client = await registered(quick)
    form = refreshing(client, (await tokens_of(quick, client))["refresh_token"])
    answer = await post(quick, "/token", form | words)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert (await post(quick, "/token", form)).json()["scope"] == "xero.read"


async def test_a_client_that_registered_without_refresh_tokens_gets_none(quick: McpStage) -> None:
    client = (await register(quick, {"grant_types": ["authorization_code"]})).json()["client_id"]
    assert "refresh_token" not in await tokens_of(quick, client)
    answer = await post(quick, "/token", refreshing(client, "x"))
    assert answer.json()["error"] == "unauthorized_client"


async def test_an_access_token_is_good_for_five_minutes_and_not_longer(stage: McpStage) -> None:
    tokens = await tokens_of(stage, await registered(stage))
    assert await opens(stage, tokens["access_token"])
    stage.clock.advance(301)
    assert not await opens(stage, tokens["access_token"])


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
async def test_a_revoked_token_takes_its_family_along(stage: McpStage, which: str) -> None:
    client = await registered(stage)
    tokens = await tokens_of(stage, client)
    assert await opens(stage, tokens["access_token"])
    answer = await post(stage, "/revoke", {"token": tokens[which], "client_id": client})
    assert (answer.status_code, answer.text) == (200, "")
    assert not await opens(stage, tokens["access_token"])
    ended = await post(stage, "/token", refreshing(client, tokens["refresh_token"]))
    assert ended.json()["error"] == "invalid_grant"


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "a word of the future"])
async def test_a_hint_about_a_token_may_be_wrong(quick: McpStage, hint: str) -> None:
    # RFC 7009, section 2.1: it may be ignored, and the search goes on over all kinds.
    client = await registered(quick)
    tokens = await tokens_of(quick, client)
    words = {"token": tokens["refresh_token"], "client_id": client, "token_type_hint": hint}
    assert (await post(quick, "/revoke", words)).status_code == httpx.codes.OK
    assert not await opens(quick, tokens["access_token"])


async def test_a_revocation_by_somebody_else_or_of_nothing_changes_nothing(quick: McpStage) -> None:
    mine, theirs = await registered(quick), await registered(quick)
    tokens = await tokens_of(quick, theirs)
    for token in (tokens["refresh_token"], tokens["access_token"], "x", f"{uuid4().hex}.x"):
        answer = await post(quick, "/revoke", {"token": token, "client_id": mine})
        assert answer.status_code == httpx.codes.OK  # RFC 7009, section 2.2: an unknown token is revoked already
    assert (await post(quick, "/revoke", {"client_id": mine})).json()["error"] == "invalid_request"
    stranger = await post(quick, "/revoke", {"token": tokens["refresh_token"], "client_id": str(uuid4())})
    assert (stranger.status_code, stranger.json()["error"]) == (401, "invalid_client")
    code = await code_of(quick, theirs)
    await post(quick, "/revoke", {"token": code, "client_id": theirs})  # a code is no token
    assert (await post(quick, "/token", buying(theirs, code))).status_code == httpx.codes.OK
    assert await opens(quick, tokens["access_token"])
