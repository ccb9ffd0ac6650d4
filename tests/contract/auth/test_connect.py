"""Connecting: who may, what is kept, and every way in which a callback does not fit."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx
import pytest

from libs.contracts.events import ConsentGranted
from libs.xero.endpoints import READ_SCOPES
from tests.contract.auth.conftest import Stage, events_of
from tests.support.auth import TENANT, calls, told
from tests.support.web import web_client


async def authorize_url(stage: Stage, workspace: UUID, query: str = "") -> dict[str, str]:
    async with stage.auth.signed_in(workspace) as browser:
        browser.follow_redirects = False
        answer = await browser.get(f"{stage.auth.url}/connect/xero{query}")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


async def callback(stage: Stage, workspace: UUID, query: dict[str, str], provider: str = "xero") -> httpx.Response:
    async with stage.auth.signed_in(workspace) as browser:
        return await browser.get(f"{stage.auth.url}/connect/{provider}/callback", params=query)


async def code_for(stage: Stage, query: dict[str, str]) -> dict[str, str]:
    async with web_client() as browser:
        answer = await browser.get(stage.xero.endpoints.authorize_url, params=query)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


async def test_a_person_connects_xero_and_reads_in_plain_words_what_was_granted(stage: Stage) -> None:
    workspace = uuid4()
    page = await stage.auth.connect(workspace, "xero")
    assert page.status_code == httpx.codes.OK
    assert "read the files attached to bills" in page.text
    assert "Atelier Marchand" in page.text
    assert await stage.auth.service.connection_state(workspace, "xero") == "active"
    token = await stage.auth.service.lend("xero_mcp", workspace, "xero")
    assert token.account == TENANT
    assert token.secret not in repr(token)
    (said,) = await events_of(stage.kept)
    assert said == ConsentGranted(provider="xero", account=TENANT, scopes=READ_SCOPES)


async def test_the_way_to_xero_carries_pkce_and_a_state_that_cannot_be_guessed(quick: Stage) -> None:
    query = await authorize_url(quick, uuid4())
    assert query["code_challenge_method"] == "S256"
    assert len(query["code_challenge"]) == 43
    assert len(query["state"].partition(".")[2]) >= 32
    assert query["redirect_uri"].startswith("http://localhost:")  # 127.0.0.1 is refused: developer.xero.com
    assert query["scope"].split() == list(READ_SCOPES)


async def test_a_callback_that_comes_twice_is_refused_the_second_time(stage: Stage) -> None:
    workspace = uuid4()
    query = await authorize_url(stage, workspace)
    answer = await code_for(stage, query)
    assert (await callback(stage, workspace, answer)).status_code == httpx.codes.OK
    again = await callback(stage, workspace, answer)
    assert again.status_code == httpx.codes.BAD_REQUEST
    assert "used already" in again.text


@pytest.mark.parametrize("state", ["", "x", f"{UUID(int=7).hex}.guess", "é" * 40, "a" * 5000])
async def test_a_callback_without_our_state_is_refused(quick: Stage, state: str) -> None:
    answer = await callback(quick, uuid4(), {"code": "c", "state": state})
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert not [call for call in await calls(quick.xero) if "/connect/token" in call]


async def test_a_state_of_another_workspace_is_refused(stage: Stage) -> None:
    query = await authorize_url(stage, uuid4())
    answer = await callback(stage, uuid4(), await code_for(stage, query))
    assert answer.status_code == httpx.codes.BAD_REQUEST


async def test_a_state_older_than_ten_minutes_is_refused(stage: Stage) -> None:
    workspace = uuid4()
    answer = await code_for(stage, await authorize_url(stage, workspace))
    stage.clock.advance(601)
    assert (await callback(stage, workspace, answer)).status_code == httpx.codes.BAD_REQUEST


async def test_a_code_of_another_visit_is_refused_for_its_verifier(quick: Stage) -> None:
    workspace = uuid4()
    mine, theirs = await authorize_url(quick, workspace), await authorize_url(quick, uuid4())
    stolen = await code_for(quick, theirs)
    answer = await callback(quick, workspace, {"code": stolen["code"], "state": mine["state"]})
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert await quick.auth.service.connection_state(workspace, "xero") == "none"


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"])
async def test_a_return_address_elsewhere_is_refused(quick: Stage, address: str) -> None:
    async with quick.auth.signed_in(uuid4()) as browser:
        answer = await browser.get(f"{quick.auth.url}/connect/xero", params={"return_to": address})
    assert answer.status_code == httpx.codes.BAD_REQUEST


async def test_without_a_session_nobody_connects_anything(quick: Stage) -> None:
    async with web_client() as stranger:
        answer = await stranger.get(f"{quick.auth.url}/connect/xero")
    assert answer.status_code == httpx.codes.FORBIDDEN
    assert "not signed in" in answer.text


async def test_a_sign_in_link_works_once(stage: Stage) -> None:
    link = await stage.auth.service.sign_in_ticket(uuid4())
    async with web_client() as browser:
        first, second = await browser.get(link), await browser.get(link)
    cookie = first.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert second.status_code == httpx.codes.FORBIDDEN


async def test_a_refusal_at_xero_is_said_calmly_and_changes_nothing(quick: Stage) -> None:
    workspace = uuid4()
    query = await authorize_url(quick, workspace)
    answer = await callback(quick, workspace, {"error": "access_denied", "state": query["state"]})
    assert answer.status_code == httpx.codes.OK
    assert "Nothing was changed" in answer.text
    assert await quick.auth.service.connection_state(workspace, "xero") == "none"


async def test_an_error_of_xeros_own_is_not_said_to_be_a_persons_refusal(quick: Stage) -> None:
    workspace = uuid4()
    query = await authorize_url(quick, workspace)
    answer = await callback(quick, workspace, {"error": "server_error", "code": "c", "state": query["state"]})
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "without a code. Start again" in answer.text
    assert "refused" not in answer.text
    assert not [call for call in await calls(quick.xero) if "/connect/token" in call]


async def test_an_unknown_page_is_a_page_too(quick: Stage) -> None:
    async with quick.auth.signed_in(uuid4()) as browser:
        answer = await browser.get(f"{quick.auth.url}/connect/sage")
    assert answer.status_code == httpx.codes.NOT_FOUND
    assert "<h1>" in answer.text


async def test_a_workspace_stays_with_the_organisation_it_was_connected_to(stage: Stage) -> None:
    workspace, other = uuid4(), "5f0e8d1c-0000-4000-8000-000000000002"
    await stage.auth.connect(workspace, "xero")
    await told(stage.xero, "organisations", {"tenant_id": other, "name": "Somebody Else SAS"})
    await told(stage.xero, "settings", {"consent": "auto", "tenant_id": other})
    stage.clock.advance(1)
    page = await stage.auth.connect(workspace, "xero")
    assert page.status_code == httpx.codes.BAD_REQUEST
    assert "workspace of its own" in page.text
    token = await stage.auth.service.lend("xero_mcp", workspace, "xero")
    assert token.account == TENANT
    assert (await stage.auth.connect(uuid4(), "xero")).status_code == httpx.codes.OK


async def test_the_organisation_is_the_one_of_this_consent_though_another_was_connected_meanwhile(stage: Stage) -> None:
    mine, theirs, other = uuid4(), uuid4(), "5f0e8d1c-0000-4000-8000-000000000002"
    await told(stage.xero, "organisations", {"tenant_id": other, "name": "Somebody Else SAS"})
    await told(stage.xero, "settings", {"consent": "auto", "tenant_id": TENANT, "user": "one accountant"})
    first = await code_for(stage, await authorize_url(stage, mine))
    stage.clock.advance(1)
    await told(stage.xero, "settings", {"consent": "auto", "tenant_id": other, "user": "one accountant"})
    await stage.auth.connect(theirs, "xero")
    assert (await callback(stage, mine, first)).status_code == httpx.codes.OK
    assert (await stage.auth.service.lend("xero_mcp", mine, "xero")).account == TENANT
    assert (await stage.auth.service.lend("xero_mcp", theirs, "xero")).account == other


async def test_one_accountant_with_two_organisations_reconnects_each_to_its_own_workspace(stage: Stage) -> None:
    mine, other = uuid4(), "5f0e8d1c-0000-4000-8000-000000000002"
    await told(stage.xero, "organisations", {"tenant_id": other, "name": "Somebody Else SAS"})
    await told(stage.xero, "settings", {"consent": "auto", "tenant_id": TENANT, "user": "one accountant"})
    await stage.auth.connect(mine, "xero")
    stage.clock.advance(1)
    await told(stage.xero, "settings", {"consent": "auto", "tenant_id": other, "user": "one accountant"})
    refused = await stage.auth.connect(mine, "xero")
    assert refused.status_code == httpx.codes.BAD_REQUEST
    assert "workspace of its own" in refused.text
    assert (await stage.auth.service.lend("xero_mcp", mine, "xero")).account == TENANT
