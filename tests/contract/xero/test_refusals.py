"""What each failure of Xero becomes for the caller.

Source of the refusals: developer.xero.com/documentation/api/accounting/responsecodes and .../guides/oauth2/limits.
"""

from __future__ import annotations

import httpx
import pytest
from aiohttp import web

from libs.contracts.errors import ConsentLost, Malformed, Rejected, Transient
from libs.xero.client import XeroClient
from libs.xero.endpoints import endpoints_at
from libs.xero.refusals import refusal
from tests.contract.xero.world import TENANT, World, bill, serving
from tests.support.dripping import dripping
from tests.support.web import web_client

READ_SECONDS = 0.4
"""For one read, instead of a minute."""


@pytest.mark.parametrize("kind", ["429", "500", "503", "html", "lost", "timeout"])
async def test_what_may_pass_is_transient_and_passes(world: World, kind: str) -> None:
    token = await world.token()
    await world.tell("faults", kind=kind, method="GET")
    hasty = web_client(timeout=0.5)
    async with hasty:
        client = XeroClient(hasty, world.standin.endpoints)
        with pytest.raises(Transient):
            await client.invoices(token, TENANT, page=1)
    assert (await world.client.invoices(token, TENANT, page=1)).records == ()


async def test_nobody_listening_is_transient(world: World) -> None:
    client = XeroClient(world.http, endpoints_at("http://127.0.0.1:9"))
    with pytest.raises(Transient, match="network"):
        await client.connections("a token")


async def test_a_revoked_token_means_consent_is_lost(world: World) -> None:
    token = await world.token()
    await world.tell("faults", kind="revoked")
    with pytest.raises(ConsentLost):
        await world.client.contacts(token, TENANT, page=1)


async def test_a_scope_that_was_not_granted_is_rejected_by_name(world: World) -> None:
    token = await world.token(scope="accounting.contacts.read")
    with pytest.raises(Rejected) as refused:
        await world.client.invoices(token, TENANT, page=1)
    assert refused.value.code == "insufficient_scope"
    assert (await world.client.contacts(token, TENANT, page=1)).records == ()


async def test_an_organisation_that_is_not_connected_is_rejected(world: World) -> None:
    with pytest.raises(Rejected) as refused:
        await world.client.invoices(await world.token(), "another-tenant", page=1)
    assert refused.value.code == "forbidden"


async def test_a_record_that_is_not_there_is_rejected(world: World) -> None:
    token = await world.token()
    for asked in (
        world.client.invoice(token, TENANT, "no such id"),
        world.client.contact(token, TENANT, "../Invoices"),
        world.client.attachments(token, TENANT, "Invoices", "no such id"),
        world.client.attachment_content(token, TENANT, "Invoices", "no such id", "none", max_bytes=1),
    ):
        with pytest.raises(Rejected) as refused:
            await asked
        assert refused.value.code == "not_found"


async def test_a_query_xero_cannot_read_is_rejected(world: World) -> None:
    with pytest.raises(Rejected) as refused:
        await world.client.invoices(await world.token(), TENANT, page=1, where="Total > 100")
    assert refused.value.code == "http_400"


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b'{"Invoices": {}}',
        b'{"Invoices": [1]}',
        b'{"Invoices": []}',
        b'{"Invoices": [], "pagination": {"page": 1, "pageSize": 1, "itemCount": 1, "pageCount": %b}}' % (b"9" * 5_000),
    ],
    ids=["list", "empty", "object", "number", "no-pagination", "endless-count"],
)
async def test_json_of_another_shape_is_malformed(body: bytes) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    async with serving(answer) as url, web_client() as http:
        with pytest.raises(Malformed) as refused:
            await XeroClient(http, endpoints_at(url)).invoices("a token", TENANT, page=1)
    assert refused.value.code == "unexpected_shape"


@pytest.mark.parametrize("body", [b"<html>", b"", b'{"Total": NaN}', b"[" * 100_000, b"\xff"])
async def test_what_is_no_json_is_transient(body: bytes) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    async with serving(answer) as url, web_client() as http:
        with pytest.raises(Transient):
            await XeroClient(http, endpoints_at(url)).connections("a token")


async def test_an_answer_that_breaks_off_is_transient() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"[")
        assert request.transport is not None
        request.transport.abort()
        return response

    async with serving(answer) as url, web_client() as http:
        with pytest.raises(Transient, match="network"):
            await XeroClient(http, endpoints_at(url)).connections("a token")


async def test_an_answer_that_does_not_end_is_given_up() -> None:
    async with serving(dripping(READ_SECONDS / 4)) as url, web_client() as http:
        with pytest.raises(Transient, match="network"):
            await XeroClient(http, endpoints_at(url), read_seconds=READ_SECONDS).connections("a token")


async def test_a_redirect_is_not_followed_since_the_token_is_for_xero_alone() -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async with serving(answer) as url, web_client(follow_redirects=True) as http:
        with pytest.raises(Transient):
            await XeroClient(http, endpoints_at(url)).connections("a token")
    assert seen == ["/connections"]


async def test_no_error_repeats_what_was_sent_or_what_a_stranger_answered(world: World) -> None:
    with pytest.raises(ConsentLost) as lost:
        await world.client.invoices("a-secret-token", TENANT, page=1)
    assert "a-secret-token" not in str(lost.value)
    forged = refusal(429, httpx.Headers({"X-Rate-Limit-Problem": "ACME owes 5", "Retry-After": "soon"}), b"")
    assert isinstance(forged, Transient)
    assert "ACME" not in forged.sentence
    assert forged.retry_after_seconds is None


@pytest.mark.parametrize("problem", ["minute", "day", "concurrent", "appminute"])
def test_a_used_up_budget_is_named(problem: str) -> None:
    waits = refusal(429, httpx.Headers({"x-rate-limit-problem": problem, "retry-after": "61"}), b"")
    assert isinstance(waits, Transient)
    assert problem in waits.sentence
    assert waits.retry_after_seconds == 61


def test_an_offline_organisation_is_asked_again_in_five_minutes() -> None:
    waits = refusal(503, {}, b"")
    assert isinstance(waits, Transient)
    assert waits.retry_after_seconds == 300


async def test_reading_never_sends_anything_but_get(world: World) -> None:
    token = await world.token()
    await world.tell("records", tenant_id=TENANT, invoices=[bill()], contacts=[{"ContactID": "c-1", "Name": "Orange"}])
    before = await world.ask("calls")
    invoice_id = str(bill()["InvoiceID"])
    await world.client.connections(token)
    await world.client.organisation(token, TENANT)
    await world.client.invoices(token, TENANT, page=1)
    await world.client.invoice(token, TENANT, invoice_id)
    await world.client.contacts(token, TENANT, page=1)
    await world.client.contact(token, TENANT, "c-1")
    await world.client.attachments(token, TENANT, "Invoices", invoice_id)
    made = set(await world.ask("calls")) - set(before)
    assert len(made) == 7
    assert all(call.startswith("GET ") and call.endswith(" 200") for call in made)
