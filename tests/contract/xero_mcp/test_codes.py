"""What a code and a request of an MCP client are good for, and how long."""

from __future__ import annotations

import base64
import hashlib

import httpx
import pytest

from tests.contract.xero_mcp.asking import asking, authorize, buying, code_of, opens, post, refreshing, registered
from tests.contract.xero_mcp.conftest import McpStage


async def test_a_code_that_comes_again_ends_what_it_bought_though_nobody_used_that(stage: McpStage) -> None:
    # RFC 6749, section 4.1.2. A refresh token may come again so, since a client may have died with its answer.
    client = await registered(stage)
    code = await code_of(stage, client)
    first = (await post(stage, "/token", buying(client, code))).json()
    assert (await post(stage, "/token", buying(client, code))).json()["error"] == "invalid_grant"
    assert not await opens(stage, first["access_token"])
    again = await post(stage, "/token", refreshing(client, first["refresh_token"]))
    assert again.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(("seconds", "error"), [(20, None), (60, "invalid_grant")])
async def test_a_code_is_good_for_a_minute(quick: McpStage, seconds: float, error: str | None) -> None:
    client = await registered(quick)
    code = await code_of(quick, client)
    quick.clock.advance(seconds)
    assert (await post(quick, "/token", buying(client, code))).json().get("error") == error


async def test_a_request_waits_for_its_person_for_half_an_hour(quick: McpStage) -> None:
    client = await registered(quick)
    address = (await authorize(quick, asking(quick, client))).headers["Location"]
    await quick.page(address)
    quick.clock.advance(1801)
    assert (await quick.page(address)).status_code == httpx.codes.BAD_REQUEST


async def test_a_refresh_token_that_nobody_used_for_a_month_is_unknown(quick: McpStage) -> None:
    client = await registered(quick)
    tokens = (await post(quick, "/token", buying(client, await code_of(quick, client)))).json()
    quick.clock.advance(30 * 86_400)
    answer = await post(quick, "/token", refreshing(client, tokens["refresh_token"]))
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize("verifier", ["short", "a" * 42, "a" * 129, "a" * 42 + "!"])
async def test_a_verifier_that_could_be_guessed_buys_nothing_though_it_fits(quick: McpStage, verifier: str) -> None:
    # RFC 7636, section 4.1: 43 to 128 of the unreserved characters.
    client = await registered(quick)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = await authorize(quick, asking(quick, client, code_challenge=challenge))
    code = (await quick.visit(asked.headers["Location"]))["code"]
    answer = await post(quick, "/token", {**buying(client, code), "code_verifier": verifier})
    assert answer.json()["error"] == "invalid_grant"


async def test_a_refresh_that_asks_for_no_scope_at_all_is_refused(quick: McpStage) -> None:
    client = await registered(quick)
    tokens = (await post(quick, "/token", buying(client, await code_of(quick, client)))).json()
    form = {**refreshing(client, tokens["refresh_token"]), "scope": " "}
    assert (await post(quick, "/token", form)).json()["error"] == "invalid_scope"


async def test_a_client_that_gives_two_names_is_none(quick: McpStage) -> None:
    mine, theirs = await registered(quick), await registered(quick)
    form = buying(mine, await code_of(quick, mine))
    for named, status in ((theirs, httpx.codes.UNAUTHORIZED), (mine, httpx.codes.OK)):
        basic = {"Authorization": f"Basic {base64.b64encode(f'{mine}:'.encode()).decode()}"}
        answer = await post(quick, "/token", {**form, "client_id": named}, basic)
        assert answer.status_code == status
