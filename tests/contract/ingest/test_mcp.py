"""Xero over MCP: consent by dynamic registration, tokens in silence, tools and their errors. Real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from libs.contracts.errors import ConsentLost, Malformed, Rejected, Transient
from services.ingest.adapters.memory_providers import MemoryProvider
from services.ingest.domain.attachments import Attachment
from tests.contract.ingest.conftest import NOW, Kept
from tests.contract.ingest.mcp_stage import SCOPE, Ingest, staged
from tests.contract.ingest.mcp_stand_in import LIFETIME_SECONDS, McpStandIn, running
from tests.support.web import web_client

pytestmark = pytest.mark.parametrize("backend", ["memory"], indirect=True)
"""The store has its own suite; what is asked here does not depend on it."""


@pytest.fixture
async def ingest(kept: Kept) -> AsyncIterator[Ingest]:
    server = McpStandIn(MemoryProvider(), kept.workspace)
    async with running(server), staged(kept, server) as made:
        yield made


async def test_a_consent_lets_every_tool_be_read(ingest: Ingest) -> None:
    workspace, xero = ingest.kept.workspace, ingest.server.xero
    record = {"InvoiceID": "b-1", "Total": "119.90"}
    xero.change(workspace, "bill", "b-1", record, at=NOW)
    xero.attach(workspace, "b-1", Attachment("a-1", "bill.pdf", "application/pdf", 4), b"%PDF")
    await ingest.consent()
    assert "Xero is connected" in ingest.pages[0].text
    reader = ingest.reader()
    page = await reader.records(workspace, "bill", page=1, since=None)
    assert (list(page.records), page.page_count) == ([record], 1)
    assert (await reader.records(workspace, "bill", page=1, since=NOW + timedelta(seconds=1))).records == []
    assert (await reader.records(workspace, "contact", page=1, since=None)).page_count == 0
    [attachment] = await reader.attachments(workspace, "b-1")
    assert attachment == Attachment("a-1", "bill.pdf", "application/pdf", 4)
    assert (await reader.attached_file(workspace, "b-1", "a-1")).content == b"%PDF"


async def test_only_the_scope_we_asked_for_is_registered_and_shown_to_the_person(ingest: Ingest) -> None:
    # The SDK asks for everything the server can give: python-sdk#2317.
    await ingest.consent()
    assert ingest.server.registered[0]["scope"] == SCOPE
    assert ingest.server.authorized[0]["scope"] == SCOPE


async def test_an_issuer_with_and_without_its_slash_is_one(ingest: Ingest) -> None:
    # The SDK refuses the server: python-sdk#1919.
    ingest.server.issuer_slash = True
    await ingest.consent()
    assert (await ingest.reader().records(ingest.kept.workspace, "bill", page=1, since=None)).page_count == 0


async def test_a_server_that_does_not_offer_pkce_is_refused(ingest: Ingest) -> None:
    # The SDK never looks. Source: MCP 2025-11-25, "Authorization Code Protection".
    ingest.server.pkce = False
    with pytest.raises(Rejected) as refusal:
        await ingest.consent()
    assert refusal.value.code == "consent_refused"
    assert ingest.server.authorized == []


async def test_after_a_restart_an_expired_token_is_refreshed_in_silence_at_the_right_address(ingest: Ingest) -> None:
    # The SDK goes to the browser, and refreshes at <server>/token: python-sdk#3250, #1318, #3240.
    await ingest.consent()
    ingest.kept.clock.advance(LIFETIME_SECONDS)
    await ingest.reader().records(ingest.kept.workspace, "bill", page=1, since=None)
    assert ingest.server.asked["token refresh_token"] == 1
    assert len(ingest.pages) == 1


async def test_a_token_refused_before_its_time_is_refreshed_once_for_all_calls(ingest: Ingest) -> None:
    await ingest.consent()
    reader = ingest.reader()
    await reader.records(ingest.kept.workspace, "bill", page=1, since=None)
    ingest.server.access.clear()
    calls = [reader.records(ingest.kept.workspace, "bill", page=1, since=None) for _ in range(4)]
    assert [page.page_count for page in await asyncio.gather(*calls)] == [0, 0, 0, 0]
    assert ingest.server.asked["token refresh_token"] == 1


async def test_a_refused_refresh_is_a_lost_consent_and_a_new_consent_mends_it(ingest: Ingest) -> None:
    await ingest.consent()
    ingest.kept.clock.advance(LIFETIME_SECONDS)
    ingest.server.refreshes = False
    reader = ingest.reader()
    with pytest.raises(ConsentLost):
        await reader.records(ingest.kept.workspace, "bill", page=1, since=None)
    await ingest.consent()
    await reader.forget(ingest.kept.workspace)
    assert (await reader.records(ingest.kept.workspace, "bill", page=1, since=None)).page_count == 0
    assert len(ingest.server.registered) == 1


async def test_a_workspace_without_a_grant_has_no_consent(ingest: Ingest) -> None:
    with pytest.raises(ConsentLost):
        await ingest.reader().records(ingest.kept.workspace, "bill", page=1, since=None)
    assert ingest.server.asked["mcp"] == 0


async def test_calls_side_by_side_do_not_wait_for_each_other(ingest: Ingest) -> None:
    # The SDK holds one lock over each whole request: python-sdk#3209, #1326, #2847.
    class Meeting(MemoryProvider):
        async def attachments(self, *_: object) -> list[Attachment]:
            await meeting.wait()
            return []

    meeting = asyncio.Barrier(4)
    ingest.server.xero = Meeting()
    await ingest.consent()
    reader = ingest.reader()
    async with asyncio.timeout(10):
        await asyncio.gather(*(reader.attachments(ingest.kept.workspace, "b") for _ in range(4)))


@pytest.mark.parametrize(
    "error",
    [
        Transient("Xero is busy.", retry_after_seconds=31.0),
        Transient("The network failed."),
        Rejected("There is no such invoice.", code="not_found"),
        ConsentLost("Connect Xero again."),
        Malformed("Xero said something strange.", code="unexpected_shape"),
    ],
)
async def test_an_error_of_a_tool_keeps_its_kind_and_the_session_lives_on(ingest: Ingest, error: Any) -> None:  # noqa: ANN401 - several kinds
    await ingest.consent()
    reader = ingest.reader()
    ingest.server.xero.fails.append(error)
    with pytest.raises(type(error)) as told:
        await reader.records(ingest.kept.workspace, "bill", page=1, since=None)
    assert getattr(told.value, "code", None) == getattr(error, "code", None)
    assert getattr(told.value, "retry_after_seconds", None) == getattr(error, "retry_after_seconds", None)
    assert (await reader.records(ingest.kept.workspace, "bill", page=1, since=None)).page_count == 0


async def test_a_page_that_comes_again_for_another_is_asked_for_anew(ingest: Ingest) -> None:
    await ingest.consent()
    reader = ingest.reader()
    ingest.server.repeats = 1
    with pytest.raises(Transient, match="another page"):
        await reader.records(ingest.kept.workspace, "bill", page=2, since=None)
    ingest.server.repeats = None
    assert (await reader.records(ingest.kept.workspace, "bill", page=2, since=None)).records == []


FOREIGN = "Maison Tilleul owes EUR 1,284.00"


@pytest.mark.parametrize(
    "error",
    [
        Transient(FOREIGN, retry_after_seconds=7.0),
        Rejected(FOREIGN, code="not_found"),
        Rejected(FOREIGN, code=FOREIGN),
        ConsentLost(FOREIGN),
        Malformed(FOREIGN, code=FOREIGN),
    ],
)
async def test_nothing_that_a_foreign_server_writes_gets_into_a_sentence_or_a_code(ingest: Ingest, error: Any) -> None:  # noqa: ANN401 - several kinds
    await ingest.consent()
    ingest.server.xero.fails.append(error)
    with pytest.raises(type(error)) as told:
        await ingest.reader().records(ingest.kept.workspace, "bill", page=1, since=None)
    assert "Tilleul" not in told.value.sentence + str(getattr(told.value, "code", ""))
    assert len(told.value.sentence) > 20


async def test_a_server_that_is_down_is_transient(ingest: Ingest) -> None:
    await ingest.consent()
    reader = ingest.reader("http://127.0.0.1:9/mcp")
    with pytest.raises(Transient):
        await reader.records(ingest.kept.workspace, "bill", page=1, since=None)


async def test_a_server_that_was_started_anew_is_found_again(kept: Kept) -> None:
    server = McpStandIn(MemoryProvider(), kept.workspace)
    async with running(server):
        pass
    async with staged(kept, server) as ingest:
        reader = ingest.reader()
        async with running(server):
            await ingest.consent()
            await reader.records(kept.workspace, "bill", page=1, since=None)
        with pytest.raises(Transient):
            await reader.records(kept.workspace, "bill", page=1, since=None)
        async with running(server):
            assert (await reader.records(kept.workspace, "bill", page=1, since=None)).page_count == 0


async def test_what_is_kept_of_a_grant_is_sealed(ingest: Ingest) -> None:
    await ingest.consent()
    async with ingest.kept.database.transaction(ingest.kept.workspace) as tx:
        sealed = await ingest.kept.store.grants.get(tx, ingest.server.mcp_url)
    assert sealed is not None
    assert not any(token.encode() in sealed for token in ingest.server.access | ingest.server.refresh)


async def test_a_callback_that_nobody_waits_for_is_refused_and_to_look_at_it_ends_nothing(ingest: Ingest) -> None:
    async with web_client() as browser:
        answer = await browser.get(ingest.callback_url, params={"code": "c", "state": "forged"})
        looked = await browser.head(ingest.callback_url)
    assert (answer.status_code, looked.status_code) == (400, 405)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        ("access_denied", "consent_refused", "refused there"),
        ("server_error", "no_code", "sent no code back"),
        ("", "no_code", "sent no code back"),
    ],
)
async def test_a_no_is_told_as_one_and_trouble_of_the_server_is_not(
    ingest: Ingest, error: str, code: str, said: str
) -> None:
    async def come_back(url: str) -> None:
        query = {"error": error, "state": httpx.URL(url).params["state"], "code": "besides"}
        async with web_client() as browser:
            await browser.get(ingest.callback_url, params=query)

    with pytest.raises(Rejected, match=said) as refusal:
        await ingest.consents.connect(ingest.kept.workspace, come_back)
    assert refusal.value.code == code
