"""The authorization server of MCP clients against those who bend the rules: the RFC's error, and nothing kept."""

from __future__ import annotations

import base64
import secrets
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from libs.contracts.errors import Rejected
from libs.crypto.bearer import INSTALLATION
from services.xero_mcp.domain.token import LIVE_REQUESTS, Token
from tests.contract.xero_mcp.asking import (
    asking,
    authorize,
    buying,
    code_of,
    opens,
    post,
    register,
    registered,
    said,
    tokens_of,
    without,
)
from tests.contract.xero_mcp.conftest import CALLBACK, McpStage, mcp_stage
from tests.support.memory import MemoryFixture
from tests.support.web import web_client


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
    assert server["authorization_response_iss_parameter_supported"] is True
    assert server["client_id_metadata_document_supported"] is True
    assert "none" in server["token_endpoint_auth_methods_supported"]
    assert resource["scopes_supported"] == ["xero.read"]
    assert challenge.status_code == httpx.codes.UNAUTHORIZED
    well_known = f"{quick.root}/.well-known/oauth-protected-resource/mcp"
    assert f'resource_metadata="{well_known}"' in challenge.headers["WWW-Authenticate"]


async def test_who_only_looks_begins_and_ends_no_consent(quick: McpStage) -> None:
    words = asking(quick, await registered(quick))
    async with web_client() as http:
        for path in ("/authorize", "/consented"):
            looked = await http.head(f"{quick.root}{path}", params=words)
            assert looked.status_code == httpx.codes.METHOD_NOT_ALLOWED
            assert "HEAD" not in looked.headers["Allow"]


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
    ("words", "error"),
    [
        ({"code_verifier": secrets.token_urlsafe(48)}, "invalid_grant"),
        ({"code_verifier": "short"}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"redirect_uri": "http://localhost:2/callback"}, "invalid_grant"),
        ({"redirect_uri": ""}, "invalid_grant"),
        ({"code": f"{uuid4().hex}.{secrets.token_urlsafe(32)}"}, "invalid_grant"),
        ({"code": "x"}, "invalid_grant"),
        ({"resource": "https://elsewhere.example/mcp"}, "invalid_target"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "invalid_request"),
        ({"client_secret": "a guess"}, "invalid_client"),
        ({"client_id": "0" * 36}, "invalid_client"),
        ({"client_id": "\0"}, "invalid_client"),
        ({"state": "x" * 2049}, "invalid_request"),
    ],
)
async def test_a_code_is_not_sold_to_somebody_else_and_stays_good_for_its_owner(
    quick: McpStage, words: dict[str, str], error: str
) -> None:
    client = await registered(quick)
    form = buying(client, await code_of(quick, client))
    before = await quick.kept()
    answer = await post(quick, "/token", form | words)
    assert answer.json()["error"] == error
    assert answer.status_code == (401 if error == "invalid_client" else 400)
    assert answer.headers["Cache-Control"] == "no-store"
    assert await quick.kept() == before
    assert (await post(quick, "/token", form)).status_code == httpx.codes.OK


async def test_a_word_that_stands_twice_is_refused_and_resource_alone_may(quick: McpStage) -> None:
    client = await registered(quick)
    form = list(buying(client, await code_of(quick, client)).items())
    twice = await post(quick, "/token", [*form, ("code", "another")])
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")
    named = await post(quick, "/token", [*form, ("resource", quick.mcp.url), ("resource", quick.mcp.url)])
    assert named.status_code == httpx.codes.OK


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_client_with_a_secret_gets_nothing_without_it(quick: McpStage, method: str) -> None:
    made = (await register(quick, {"token_endpoint_auth_method": method})).json()
    form = buying(made["client_id"], await code_of(quick, made["client_id"]))
    assert (await post(quick, "/token", form)).json()["error"] == "invalid_client"
    assert (await post(quick, "/token", {**form, "client_secret": "a guess"})).json()["error"] == "invalid_client"
    pair = base64.b64encode(f"{made['client_id']}:{made['client_secret']}".encode()).decode()
    basic = {"Authorization": f"Basic {pair}"}
    both = await post(quick, "/token", {**form, "client_secret": made["client_secret"]}, basic)
    assert both.json()["error"] == "invalid_request"
    for header in ("Basic %%", "Basic eA==", f"Bearer {pair}"):
        wrong = await post(quick, "/token", form, {"Authorization": header})
        assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
        assert wrong.headers["WWW-Authenticate"].startswith("Basic ")
    if method == "client_secret_basic":
        answer = await post(quick, "/token", without(form, "client_id"), basic)
    else:
        answer = await post(quick, "/token", {**form, "client_secret": made["client_secret"]})
    assert answer.status_code == httpx.codes.OK


async def test_a_code_of_one_client_is_nothing_to_another(stage: McpStage) -> None:
    mine, theirs = await registered(stage), await registered(stage)
    answer = await post(stage, "/token", buying(mine, await code_of(stage, theirs)))
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({"resource": "https://elsewhere.example/mcp"}, "invalid_target"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"scope": "xero.write"}, "invalid_scope"),
        ({"scope": "xero.read xero.write"}, "invalid_scope"),
        ({"response_type": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
async def test_what_is_not_given_is_refused_at_the_clients_address(
    quick: McpStage, words: dict[str, str], error: str
) -> None:
    answer = await authorize(quick, asking(quick, await registered(quick), **words))
    assert answer.headers["Location"].startswith(f"{CALLBACK}?")
    words_home = said(answer)
    assert (words_home["error"], words_home["state"]) == (error, "a-state-of-the-client")
    assert words_home["iss"] == quick.root  # RFC 9207 wants it in refusals too: a mix-up can be told by it
    assert (await quick.kept())["request"] == 0


async def test_a_client_that_sends_no_state_is_sent_none_back(quick: McpStage) -> None:
    query = without(asking(quick, await registered(quick)), "state")
    words = await quick.visit((await authorize(quick, query)).headers["Location"])
    assert sorted(words) == ["code", "iss"]


@pytest.mark.parametrize(
    "words",
    [
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "http://localhost:1/callback/../elsewhere"},
        {"redirect_uri": "http://localhost:1@evil.example/callback"},
        {"redirect_uri": "http://localhost.evil.example:1/callback"},
        {"redirect_uri": "http://127.0.0.1:1/callback"},
        {"redirect_uri": "https://localhost:1/callback"},
        {"redirect_uri": f"{CALLBACK}?next=https://evil.example"},
        {"redirect_uri": f"{CALLBACK}#x"},
        {"redirect_uri": "//evil.example/callback"},
        {"redirect_uri": "javascript:alert(1)"},
        {"client_id": str(uuid4())},
        {"client_id": ""},
        {"client_id": "\0"},
        {"client_id": "https://127.0.0.1/../client.json"},
    ],
)
async def test_a_foreign_redirect_or_client_is_never_followed(quick: McpStage, words: dict[str, str]) -> None:
    answer = await authorize(quick, asking(quick, await registered(quick), **words))
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "Location" not in answer.headers
    assert "evil" not in answer.text
    assert (await quick.kept())["request"] == 0


async def test_only_so_many_requests_wait_for_a_person_and_the_oldest_makes_room(stage: McpStage) -> None:
    client = await registered(stage)
    now = stage.clock.now()
    waiting = [
        Token("request", secrets.token_bytes(32), uuid4(), client, b"{}", now + timedelta(seconds=60 + nth))
        for nth in range(LIVE_REQUESTS)
    ]
    async with stage.database.transaction(INSTALLATION) as tx:
        await stage.store.add_tokens(tx, waiting, now=now)
    assert (await authorize(stage, asking(stage, client))).headers["Location"].startswith(stage.auth.url)
    assert (await stage.kept())["request"] == LIVE_REQUESTS
    async with stage.database.transaction(INSTALLATION) as tx:
        oldest = [await stage.store.token(tx, "request", each.sha256, now=now) for each in waiting[:2]]
    assert [each is None for each in oldest] == [True, False]


async def test_a_program_on_a_desk_listens_where_there_is_room(quick: McpStage) -> None:
    # RFC 8252, section 7.3: any port on the loopback.
    client = await registered(quick)
    answer = await authorize(quick, asking(quick, client, redirect_uri="http://localhost:50123/callback"))
    assert answer.headers["Location"].startswith(quick.auth.url)
    assert (await quick.kept())["request"] == 1


async def test_an_address_named_twice_is_followed_to_neither(quick: McpStage) -> None:
    query = [*asking(quick, await registered(quick)).items(), ("redirect_uri", "https://evil.example/")]
    assert "Location" not in (await authorize(quick, query)).headers


async def test_no_other_word_may_stand_twice(quick: McpStage) -> None:
    query = [*asking(quick, await registered(quick)).items(), ("code_challenge", "x" * 43)]
    assert said(await authorize(quick, query))["error"] == "invalid_request"


async def test_a_refusal_of_the_person_reaches_the_client_with_its_state(stage: McpStage) -> None:
    asked = await authorize(stage, asking(stage, await registered(stage)))
    words = await stage.visit(asked.headers["Location"], answer="refuse")
    assert words == {"error": "access_denied", "state": "a-state-of-the-client", "iss": stage.root}


async def test_a_grant_opens_only_the_request_it_was_given_for(stage: McpStage) -> None:
    page = httpx.URL((await authorize(stage, asking(stage, await registered(stage)))).headers["Location"])
    back = await stage.auth.service.consents.decide(stage.workspace, page.params["request"], allow=True)
    own, _, grant = back.rpartition("&grant=")
    with pytest.raises(Rejected):
        await stage.auth.service.redeem_consent(grant, return_to=f"{own}x")
    assert await stage.auth.service.programs.of(stage.workspace) == []


@pytest.mark.parametrize("query", [{}, {"request": "x", "grant": "y"}, {"request": f"{uuid4().hex}.z"}])
async def test_a_return_that_belongs_to_no_request_is_refused(quick: McpStage, query: dict[str, str]) -> None:
    async with web_client() as http:
        answer = await http.get(f"{quick.root}/consented", params=query)
    assert answer.status_code == httpx.codes.BAD_REQUEST


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
