"""The OpenAPI document of auth's pages, held against them by schemathesis with anything it thinks of."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID, uuid4

import httpx
import pytest
import schemathesis
from schemathesis import GenerationMode

from libs.auth_client.wire import SESSION_COOKIE
from tests.contract.auth.conftest import Stage, events_of
from tests.contract.auth.test_connect import authorize_url, callback, code_for
from tests.house.tree import REPOSITORY
from tests.support.openapi import ask_anything, operations_of, read_document, want_openapi, ways_to_ask
from tests.support.web import web_client

EXAMPLES: Final = 10
"""Requests an operation and kind: some seconds for all; the same ones with each run."""

ADDRESS_MAX_BYTES: Final = 6_000
"""Bytes of a query. Beyond 8 kB aiohttp refuses the request line before anything of ours hears of it."""

DOCUMENT: Final = read_document(REPOSITORY / "services" / "auth" / "api" / "openapi.json")


def test_the_document_is_one_of_openapi() -> None:
    want_openapi(DOCUMENT)


async def test_the_document_tells_of_every_page_and_of_no_other(quick: Stage) -> None:
    served = {
        (route.method.lower(), route.resource.canonical)
        for route in quick.auth.service.app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert served == set(operations_of(DOCUMENT))


@pytest.mark.parametrize("way", ways_to_ask(DOCUMENT), ids=lambda way: "-".join(map(str, way)))
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_whatever_is_sent_the_answer_is_one_that_is_written_down_and_nothing_is_connected(
    quick: Stage, way: tuple[str, str, GenerationMode], accept: str
) -> None:
    workspace = uuid4()
    pending = await authorize_url(quick, workspace)
    session = await session_of(quick, workspace)

    def call(case: schemathesis.Case) -> schemathesis.Response:
        headers = {"Accept": accept, "Cookie": f"{SESSION_COOKIE}={session}"}
        return case.call(base_url=quick.auth.url, headers=headers, allow_redirects=False)

    await asyncio.to_thread(ask_anything, DOCUMENT, way, call, examples=EXAMPLES, address_max_bytes=ADDRESS_MAX_BYTES)
    assert await quick.auth.service.connection_state(workspace, "xero") == "none"
    assert await events_of(quick.kept) == []
    page = await callback(quick, workspace, await code_for(quick, pending))
    assert page.status_code == httpx.codes.OK, "a consent under way was disturbed"
    assert await quick.auth.service.connection_state(workspace, "xero") == "active"


async def session_of(stage: Stage, workspace: UUID) -> str:
    """What the cookie of a browser says that is signed in for a workspace."""
    async with web_client() as browser:
        answer = await browser.get(await stage.auth.service.sign_in_ticket(workspace))
        return answer.cookies[SESSION_COOKIE]
