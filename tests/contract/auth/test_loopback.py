"""A sign-in link that a command made: where it goes on to, and how the command hears how the visit ended."""

from __future__ import annotations

from uuid import UUID, uuid4

import httpx
import pytest

from services.auth.domain.consent import Visit
from tests.contract.auth.conftest import Stage
from tests.support.auth import TENANT, told
from tests.support.web import web_client

LOOPBACK = "http://localhost:9/chance"
FOR_COMMAND = "?for=command"


async def visit(stage: Stage, workspace: UUID, *, query: str = FOR_COMMAND, refuse: bool = False) -> httpx.URL:
    """Where a browser ends that follows such a link; the command's own address is not visited, for nobody is there."""
    go_on = f"{stage.auth.url}/connect/xero{query}"
    ticket = await stage.auth.service.tickets.issue(workspace, "sign_in", Visit(go_on, LOOPBACK).to_bytes())
    async with web_client() as browser:
        answer = await browser.get(f"{stage.auth.url}/sign-in", params={"ticket": ticket.text})
        while answer.is_redirect:
            url = answer.url.join(answer.headers["Location"])
            if url.host == "localhost" and url.port == 9:
                return url
            if refuse and url.path.endswith("/callback"):
                url = url.copy_remove_param("code").copy_set_param("error", "access_denied")
            answer = await browser.get(url)
        return answer.url


async def test_the_command_hears_that_the_visit_ended_well_and_nothing_that_opens_anything(stage: Stage) -> None:
    workspace = uuid4()
    ended = await visit(stage, workspace)
    assert str(ended) == f"{LOOPBACK}?outcome=connected"
    assert await stage.auth.service.connection_state(workspace, "xero") == "active"


async def test_the_command_hears_of_a_refusal(quick: Stage) -> None:
    workspace = uuid4()
    assert str(await visit(quick, workspace, refuse=True)) == f"{LOOPBACK}?outcome=refused"
    assert await quick.auth.service.connection_state(workspace, "xero") == "none"


async def test_the_command_hears_why_it_could_not_be_kept(stage: Stage) -> None:
    workspace, other = uuid4(), "5f0e8d1c-0000-4000-8000-000000000002"
    await visit(stage, workspace)
    await told(stage.xero, "organisations", {"tenant_id": other, "name": "Somebody Else SAS"})
    await told(stage.xero, "settings", {"consent": "auto", "tenant_id": other})
    ended = await visit(stage, workspace)
    assert ended.params["outcome"] == "failed"
    assert "in a workspace of its own" in ended.params["sentence"]
    assert (await stage.auth.service.lend("xero_mcp", workspace, "xero")).account == TENANT


@pytest.mark.parametrize("query", ["", "?for=somebody", "?return_to=/connections"])
async def test_other_visits_of_the_same_browser_end_on_pages(quick: Stage, query: str) -> None:
    ended = await visit(quick, uuid4(), query=query)
    assert ended.path in {"/connect/xero/callback", "/connections"}


async def test_a_link_goes_on_once(quick: Stage) -> None:
    ticket = await quick.auth.service.tickets.issue(uuid4(), "sign_in", Visit("http://localhost:9/x").to_bytes())
    async with web_client() as browser:
        answers = [await browser.get(f"{quick.auth.url}/sign-in", params={"ticket": ticket.text}) for _ in range(2)]
    assert answers[0].headers["Location"] == "http://localhost:9/x"
    assert answers[1].status_code == httpx.codes.FORBIDDEN


async def test_a_link_that_a_mail_server_looked_at_still_opens(quick: Stage) -> None:
    ticket = await quick.auth.service.tickets.issue(uuid4(), "sign_in", Visit("http://localhost:9/x").to_bytes())
    async with web_client() as browser:
        looked = await browser.head(f"{quick.auth.url}/sign-in", params={"ticket": ticket.text})
        assert looked.status_code == httpx.codes.METHOD_NOT_ALLOWED
        answer = await browser.get(f"{quick.auth.url}/sign-in", params={"ticket": ticket.text})
    assert answer.headers["Location"] == "http://localhost:9/x"
