"""The authorization server of MCP clients against those who bend the rules: the RFC's error, and nothing kept."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Any
from uuid import uuid4

import httpx
import pytest

from libs.contracts.errors import Rejected
from services.xero_mcp.domain.registration import CLIENTS_MAX
from tests.contract.xero_mcp.conftest import CALLBACK, McpStage, mcp_stage
from tests.support.auth import web_client
from tests.support.memory import MemoryFixture

VERIFIER = secrets.token_urlsafe(48)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


async def post(stage: McpStage, path: str, form: dict[str, str]) -> httpx.Response:
    async with web_client() as http:
        return await http.post(f"{stage.root}{path}", data=form)


async def register(stage: McpStage, words: dict[str, Any] | None = None) -> httpx.Response:
    metadata = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none", "client_name": "Tester"}
    async with web_client() as http:
        return await http.post(f"{stage.root}/register", json=metadata | (words or {}))


async def registered(stage: McpStage) -> str:
    return str((await register(stage)).raise_for_status().json()["client_id"])


def asking(stage: McpStage, client: str, **words: str) -> dict[str, str]:
    return {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": CALLBACK,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "state": "a-state-of-the-client",
        "resource": stage.mcp.url,
        **words,
    }


async def authorize(stage: McpStage, query: dict[str, str]) -> httpx.Response:
    async with web_client() as http:
        return await http.get(f"{stage.root}/authorize", params=query)


async def code_of(stage: McpStage, client: str) -> str:
    asked = await authorize(stage, asking(stage, client))
    return (await stage.visit(asked.headers["Location"]))["code"]


def buying(client: str, code: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "client_id": client,
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }


async def tokens_of(stage: McpStage, client: str) -> dict[str, str]:
    answer = await post(stage, "/token", buying(client, await code_of(stage, client)))
    words: dict[str, str] = answer.raise_for_status().json()
    return words


def refreshing(client: str, token: str) -> dict[str, str]:
    return {"grant_type": "refresh_token", "client_id": client, "refresh_token": token}


async def opens(stage: McpStage, access_token: str) -> bool:
    async with web_client() as http:
        answer = await http.post(
            stage.mcp.url,
            json={"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}},
            headers={
                "Authorization": f"Bearer {access_token}",
                "Accept": "application/json, text/event-stream",
                "MCP-Protocol-Version": "2025-11-25",
            },
        )
    return answer.status_code == httpx.codes.OK


async def test_the_metadata_say_what_is_given(quick: McpStage) -> None:
    async with web_client() as http:
        resource = (await http.get(f"{quick.root}/.well-known/oauth-protected-resource/mcp")).json()
        server = (await http.get(f"{quick.root}/.well-known/oauth-authorization-server")).json()
        challenge = await http.post(quick.mcp.url, json={})
    assert resource["resource"] == quick.mcp.url
    assert resource["authorization_servers"] == [quick.root]
    assert server["issuer"] == quick.root
    assert server["code_challenge_methods_supported"] == ["S256"]
    assert server["scopes_supported"] == ["xero.read"]
    assert challenge.status_code == httpx.codes.UNAUTHORIZED
    assert "resource_metadata=" in challenge.headers["WWW-Authenticate"]


async def test_a_code_buys_a_short_token_once_and_a_replay_ends_what_it_bought(stage: McpStage) -> None:
    client = await registered(stage)
    code = await code_of(stage, client)
    first = await post(stage, "/token", buying(client, code))
    assert first.json()["expires_in"] == 300
    assert await opens(stage, first.json()["access_token"])
    second = await post(stage, "/token", buying(client, code))
    assert (second.status_code, second.json()["error"]) == (400, "invalid_grant")
    assert not await opens(stage, first.json()["access_token"])


@pytest.mark.parametrize(
    "words",
    [
        {"code_verifier": secrets.token_urlsafe(48)},
        {"redirect_uri": "http://localhost:2/callback"},
        {"code": f"{uuid4().hex}.{secrets.token_urlsafe(32)}"},
        {"code": "x"},
    ],
    ids=["wrong verifier", "foreign redirect", "guessed code", "no code of ours"],
)
async def test_a_code_is_not_sold_to_somebody_else(quick: McpStage, words: dict[str, str]) -> None:
    client = await registered(quick)
    answer = await post(quick, "/token", buying(client, await code_of(quick, client)) | words)
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert answer.json()["error"] in {"invalid_grant", "invalid_request"}


async def test_a_code_of_one_client_is_nothing_to_another(stage: McpStage) -> None:
    mine, theirs = await registered(stage), await registered(stage)
    answer = await post(stage, "/token", buying(mine, await code_of(stage, theirs)))
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({"resource": "https://elsewhere.example/mcp"}, "invalid_target"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "xero.write"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
async def test_what_is_not_given_is_refused_at_the_clients_address(
    quick: McpStage, words: dict[str, str], error: str
) -> None:
    answer = await authorize(quick, asking(quick, await registered(quick), **words))
    assert answer.headers["Location"].startswith(CALLBACK)
    assert f"error={error}" in answer.headers["Location"]


@pytest.mark.parametrize("words", [{"redirect_uri": "https://evil.example/"}, {"client_id": str(uuid4())}])
async def test_a_foreign_redirect_or_client_is_never_followed(quick: McpStage, words: dict[str, str]) -> None:
    answer = await authorize(quick, asking(quick, await registered(quick), **words))
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "Location" not in answer.headers


async def test_a_refusal_of_the_person_reaches_the_client_with_its_state(stage: McpStage) -> None:
    asked = await authorize(stage, asking(stage, await registered(stage)))
    words = await stage.visit(asked.headers["Location"], answer="refuse")
    assert words == {"error": "access_denied", "state": "a-state-of-the-client", "iss": stage.root}


async def test_the_page_names_the_client_and_where_it_would_go(quick: McpStage) -> None:
    client = (await register(quick, {"client_name": "<script>alert(1)</script>"})).json()["client_id"]
    asked = await authorize(quick, asking(quick, client))
    await quick.auth.connect(quick.workspace, "xero")
    async with quick.auth.signed_in(quick.workspace) as browser:
        page = await browser.get(asked.headers["Location"])
    assert "&lt;script&gt;" in page.text
    assert "<script>" not in page.text
    assert "localhost:1" in page.text


async def test_a_grant_opens_only_the_request_it_was_given_for(stage: McpStage) -> None:
    grant = await stage.auth.service.tickets.issue(stage.workspace, "mcp_grant", b"https://another.request/")
    with pytest.raises(Rejected):
        await stage.auth.service.redeem_consent(grant.text, return_to=f"{stage.root}/consented?request=x")


@pytest.mark.parametrize("query", [{}, {"request": "x", "grant": "y"}, {"request": f"{uuid4().hex}.z"}])
async def test_a_return_that_belongs_to_no_request_is_refused(quick: McpStage, query: dict[str, str]) -> None:
    async with web_client() as http:
        answer = await http.get(f"{quick.root}/consented", params=query)
    assert answer.status_code == httpx.codes.BAD_REQUEST


async def test_a_refresh_token_rotates_forgives_a_lost_answer_and_notices_a_thief(stage: McpStage) -> None:
    client = await registered(stage)
    first = await tokens_of(stage, client)
    second = (await post(stage, "/token", refreshing(client, first["refresh_token"]))).json()
    assert second["refresh_token"] != first["refresh_token"]
    again = await post(stage, "/token", refreshing(client, first["refresh_token"]))
    assert again.status_code == httpx.codes.OK
    stage.clock.advance(601)
    thief = await post(stage, "/token", refreshing(client, first["refresh_token"]))
    assert thief.json()["error"] == "invalid_grant"
    ended = await post(stage, "/token", refreshing(client, second["refresh_token"]))
    assert ended.json()["error"] == "invalid_grant"


async def test_an_access_token_is_good_for_five_minutes_and_not_longer(stage: McpStage) -> None:
    tokens = await tokens_of(stage, await registered(stage))
    assert await opens(stage, tokens["access_token"])
    stage.clock.advance(301)
    assert not await opens(stage, tokens["access_token"])


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
async def test_a_revoked_token_takes_its_family_along(stage: McpStage, which: str) -> None:
    client = await registered(stage)
    tokens = await tokens_of(stage, client)
    words = {"token": tokens[which], "client_id": client, "client_secret": ""}
    assert (await post(stage, "/revoke", words)).status_code == httpx.codes.OK
    assert not await opens(stage, tokens["access_token"])
    answer = await post(stage, "/token", refreshing(client, tokens["refresh_token"]))
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "words",
    [
        {"redirect_uris": ["http://evil.example/"]},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": [f"https://a.example/{n}" for n in range(11)]},
        {"redirect_uris": []},
        {"redirect_uris": ["https://a.example/#part"]},
        {"scope": "xero.read xero.write"},
        {"client_name": "x" * 101},
        {"client_name": "a\u202eb"},
        {"contacts": ["x" * 9000]},
    ],
)
async def test_a_registration_that_asks_for_too_much_is_refused(quick: McpStage, words: dict[str, Any]) -> None:
    answer = await register(quick, words)
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert answer.json()["error"] in {"invalid_client_metadata", "invalid_redirect_uri"}


async def test_a_flood_of_registrations_ends_at_the_limit_and_makes_room_after_an_hour(memory: MemoryFixture) -> None:
    async with mcp_stage(memory) as stage, web_client() as http:
        words = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}
        codes = [(await http.post(f"{stage.root}/register", json=words)).status_code for _ in range(CLIENTS_MAX + 20)]
        assert codes == [201] * CLIENTS_MAX + [400] * 20
        stage.clock.advance(3601)
        assert (await http.post(f"{stage.root}/register", json=words)).status_code == httpx.codes.CREATED


async def test_a_token_of_one_workspace_never_reads_for_another(stage: McpStage) -> None:
    client = await registered(stage)
    tokens = await tokens_of(stage, client)
    mine, _, secret = tokens["access_token"].partition(".")
    assert mine == stage.workspace.hex
    assert not await opens(stage, f"{uuid4().hex}.{secret}")


async def test_in_the_demo_a_browser_without_a_session_is_waved_through(memory: MemoryFixture) -> None:
    workspace = uuid4()
    demo = {"sign_in": "open", "open_workspace": workspace, "mcp_consent": "auto"}
    async with mcp_stage(memory, auth_settings=demo) as stage, web_client() as browser:
        answer = await authorize(stage, asking(stage, await registered(stage)))
        while not answer.headers["Location"].startswith(CALLBACK):
            answer = await browser.get(answer.headers["Location"])
            assert answer.is_redirect, answer.text
        assert f"code={workspace.hex}" in answer.headers["Location"]
