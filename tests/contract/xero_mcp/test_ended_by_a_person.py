"""A person takes back what they allowed one program: it reads no more, whatever it holds, and all others go on."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from services.auth.domain.program import PROGRAMS_MAX, UNUSED
from tests.contract.xero_mcp.asking import (
    asking,
    authorize,
    buying,
    code_of,
    opens,
    post,
    refreshing,
    register,
    registered,
    tokens_of,
)
from tests.contract.xero_mcp.conftest import McpStage

JSON = {"Accept": "application/json"}

BELIEVED_SECONDS = 5.0
"""How long xero_mcp goes by what it was told."""


async def _end(stage: McpStage, name: str) -> None:
    """A signed-in person presses the button beside a program."""
    async with stage.auth.signed_in(stage.workspace) as browser:
        page = await browser.get(f"{stage.auth.url}/connections")
        entry = page.text[page.text.index(f"<p>{name}</p>") :]
        form, program = re.findall(r'name="(?:form|program)" value="([^"]+)"', entry)[:2]
        ended = await browser.post(f"{stage.auth.url}/programs/end", data={"form": form, "program": program})
        again = await browser.post(f"{stage.auth.url}/programs/end", data={"form": form, "program": program})
    assert again.status_code == httpx.codes.BAD_REQUEST
    assert "reads your Xero no more" in ended.text
    assert f'href="{stage.auth.url}/connections"' in ended.text


async def _programs(stage: McpStage) -> list[dict[str, str]]:
    async with stage.auth.signed_in(stage.workspace) as browser:
        answer = await browser.get(f"{stage.auth.url}/connections", headers=JSON)
    listed: list[dict[str, str]] = answer.json()["programs"]
    return listed


async def _named(stage: McpStage, name: str) -> str:
    return str((await register(stage, {"client_name": name})).raise_for_status().json()["client_id"])


async def test_what_a_person_ends_reads_no_more_and_the_others_go_on(stage: McpStage) -> None:
    ended, other = await _named(stage, "Ledger"), await _named(stage, "Reports")
    mine, theirs = await tokens_of(stage, ended), await tokens_of(stage, other)
    assert await opens(stage, mine["access_token"])
    await _end(stage, "Ledger")
    stage.clock.advance(BELIEVED_SECONDS)
    assert not await opens(stage, mine["access_token"])
    refused = await post(stage, "/token", refreshing(ended, mine["refresh_token"]))
    assert (refused.status_code, refused.json()["error"]) == (httpx.codes.BAD_REQUEST, "invalid_grant")
    assert await opens(stage, theirs["access_token"])
    assert [program["name"] for program in await _programs(stage)] == ["Reports"]


@pytest.mark.parametrize("stolen", ["refresh_token", "code"])
async def test_a_program_whose_tokens_were_stolen_is_listed_no_more(stage: McpStage, stolen: str) -> None:
    client, other = await _named(stage, "Ledger"), await _named(stage, "Reports")
    form = buying(client, await code_of(stage, client))
    bought = (await post(stage, "/token", form)).json()
    await tokens_of(stage, other)
    if stolen == "refresh_token":
        form = refreshing(client, bought["refresh_token"])
        bought = (await post(stage, "/token", form)).json()
    assert await opens(stage, bought["access_token"])
    assert [program["name"] for program in await _programs(stage)] == ["Ledger", "Reports"]
    assert (await post(stage, "/token", form)).json()["error"] == "invalid_grant"
    assert [program["name"] for program in await _programs(stage)] == ["Reports"]


@pytest.mark.parametrize("shown", ["refresh_token", "code"])
async def test_an_ended_program_buys_nothing_before_it_reads_either(stage: McpStage, shown: str) -> None:
    client = await _named(stage, "Ledger")
    code = await code_of(stage, client)
    form = buying(client, code)
    if shown == "refresh_token":
        form = refreshing(client, (await post(stage, "/token", form)).json()["refresh_token"])
        stage.clock.advance(BELIEVED_SECONDS)
    await _end(stage, "Ledger")
    assert (await post(stage, "/token", form)).json()["error"] == "invalid_grant"
    assert (await stage.kept())["access"] == 0


async def test_it_may_ask_again_and_a_person_may_allow_it(stage: McpStage) -> None:
    client = await _named(stage, "Ledger")
    await tokens_of(stage, client)
    await _end(stage, "Ledger")
    assert await opens(stage, (await tokens_of(stage, client))["access_token"])


async def test_where_no_program_is_left_a_person_is_told_to_connect_xero_again(stage: McpStage) -> None:
    def told(page: httpx.Response) -> bool:
        return "not even Well's own" in page.text and "/ingest/connect/xero" in page.text

    await tokens_of(stage, await _named(stage, "Ledger"))
    async with stage.auth.signed_in(stage.workspace) as browser:
        assert not told(await browser.get(f"{stage.auth.url}/connections"))
        await _end(stage, "Ledger")
        assert told(await browser.get(f"{stage.auth.url}/connections"))


async def test_a_program_that_revokes_its_tokens_is_on_the_list_no_more(stage: McpStage) -> None:
    client = await registered(stage)
    tokens = await tokens_of(stage, client)
    assert [program["redirect_host"] for program in await _programs(stage)] == ["localhost:1"]
    answer = await post(stage, "/revoke", {"token": tokens["refresh_token"], "client_id": client})
    assert answer.status_code == httpx.codes.OK
    assert await _programs(stage) == []
    assert not await opens(stage, tokens["access_token"])


async def test_nobody_ends_a_program_of_another_workspace_or_without_their_own_page(quick: McpStage) -> None:
    tokens = await tokens_of(quick, await registered(quick))
    ((program,), url) = (await _programs(quick), f"{quick.auth.url}/programs/end")
    async with quick.auth.signed_in(uuid4()) as stranger, quick.auth.signed_in(quick.workspace) as browser:
        mine = (await browser.get(f"{quick.auth.url}/connections", headers=JSON)).json()["programs_form"]
        for form in (mine, "guessed", ""):
            answer = await stranger.post(url, data={"form": form, "program": program["id"]})
            assert answer.status_code == httpx.codes.BAD_REQUEST
        mine = (await browser.get(f"{quick.auth.url}/connections", headers=JSON)).json()["programs_form"]
        assert (await browser.post(url, data={"form": mine, "program": "none"})).status_code == httpx.codes.BAD_REQUEST
        assert (await browser.post(url, data={"form": mine})).status_code == httpx.codes.BAD_REQUEST
        xero = (await browser.get(f"{quick.auth.url}/connections", headers=JSON)).json()["connections"][0]["form"]
        answer = await browser.post(url, data={"form": xero, "program": program["id"]})
        assert answer.status_code == httpx.codes.BAD_REQUEST
    quick.clock.advance(BELIEVED_SECONDS)
    assert await opens(quick, tokens["access_token"])


async def test_the_list_tells_when_a_program_last_read_and_forgets_one_that_cannot_any_more(stage: McpStage) -> None:
    client = await registered(stage)
    tokens = await tokens_of(stage, client)
    (allowed,) = await _programs(stage)
    stage.clock.advance(timedelta(days=2).total_seconds())
    await post(stage, "/token", refreshing(client, tokens["refresh_token"]))
    (read,) = await _programs(stage)
    assert read["allowed_on"] == allowed["allowed_on"] == allowed["read_on"] < read["read_on"]
    stage.clock.advance(UNUSED.total_seconds())
    assert await _programs(stage) == []


async def test_there_are_so_many_programs_and_no_more_until_one_ends_or_is_unused(stage: McpStage) -> None:
    words = {"client_name": "Ledger", "redirect_host": "h", "document_host": "", "scopes": ("xero.read",)}
    for _ in range(PROGRAMS_MAX):
        await stage.auth.service.programs.allow(stage.workspace, **words)  # type: ignore[arg-type]
    client = await registered(stage)
    asked = await authorize(stage, asking(stage, client))
    await stage.auth.connect(stage.workspace, "xero")
    async with stage.auth.signed_in(stage.workspace) as browser:
        page = await browser.get(asked.headers["Location"])
        form = re.search(r'name="form" value="([^"]+)"', page.text)
        assert form is not None
        told = await browser.post(f"{stage.auth.url}/consents/mcp", data={"form": form[1], "answer": "allow"})
    assert told.status_code == httpx.codes.BAD_REQUEST
    assert f"{PROGRAMS_MAX} programs may read this Xero already" in told.text
    await _end(stage, "Ledger")
    assert await opens(stage, (await tokens_of(stage, client))["access_token"])
    stage.clock.advance(UNUSED.total_seconds())
    await tokens_of(stage, client)
    assert len(await stage.auth.service.programs.of(stage.workspace)) == 1
