"""The page on which a person answers for a program: it says who asks, for what, and where the answer goes."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.contract.xero_mcp.asking import asking, authorize, register, registered, tokens_of
from tests.contract.xero_mcp.conftest import CALLBACK, McpStage


async def test_the_page_names_the_client_and_where_it_would_go(quick: McpStage) -> None:
    page = await page_for(quick, client_name="<script>alert(1)</script>", redirect_uris=["https://app.example/back"])
    assert "&lt;script&gt;" in page.text
    assert "<script>" not in page.text
    assert "<strong>app.example</strong>" in page.text
    assert "Nobody has checked the name" in page.text
    assert "read bills, contacts and the files attached to bills" in page.text
    assert "<strong>Atelier Marchand</strong>" in page.text


async def test_the_page_says_that_a_program_on_a_desk_is_one(quick: McpStage) -> None:
    page = await page_for(quick, redirect_uris=[CALLBACK])
    assert "a program on this computer" in page.text
    assert "localhost:1" in page.text


@pytest.mark.parametrize("host", ["localhost.evil.example", "127.0.0.1.evil.example", "localhost-evil.example:1"])
async def test_a_host_that_only_begins_like_this_computer_is_named_for_what_it_is(quick: McpStage, host: str) -> None:
    page = await page_for(quick, redirect_uris=[f"https://{host}/back"])
    assert f"<strong>{host}</strong>" in page.text
    assert "on this computer" not in page.text


async def test_the_page_is_kept_nowhere_and_fits_into_no_frame(quick: McpStage) -> None:
    page = await page_for(quick, redirect_uris=[CALLBACK])
    assert page.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


async def test_every_client_is_asked_about_and_no_answer_is_remembered_for_the_next(quick: McpStage) -> None:
    # MCP security best practices, "Confused deputy problem": one Xero app stands behind every client.
    client = await registered(quick)
    for _ in range(2):
        await tokens_of(quick, client)
        page = await quick.page((await authorize(quick, asking(quick, client))).headers["Location"])
        assert "Allow" in page.text


async def test_an_answer_that_did_not_come_from_the_page_is_none(quick: McpStage) -> None:
    page = await page_for(quick, redirect_uris=[CALLBACK])
    mine = re.search(r'name="form" value="([^"]+)"', page.text)
    assert mine is not None
    async with quick.auth.signed_in(uuid4()) as stranger:
        for form in (mine[1], "guessed", ""):
            answer = await stranger.post(f"{quick.auth.url}/consents/mcp", data={"form": form, "answer": "allow"})
            assert answer.status_code == httpx.codes.BAD_REQUEST
    assert (await quick.kept())["code"] == 0


async def page_for(stage: McpStage, **words: Any) -> httpx.Response:  # noqa: ANN401 - JSON
    client = (await register(stage, words)).json()["client_id"]
    query = asking(stage, client, redirect_uri=words["redirect_uris"][0])
    return await stage.page((await authorize(stage, query)).headers["Location"])
