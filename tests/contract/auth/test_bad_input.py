"""Bad input at every address that auth has for browsers: an exact answer, nothing stored, and memory that stays."""

from __future__ import annotations

import gc
import tracemalloc
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from libs.crypto.bearer import INSTALLATION
from services.auth.domain.ticket import LIVE_TICKETS, Ticket
from services.auth.flow.connect import Connecting
from tests.contract.auth.conftest import Stage, events_of
from tests.contract.auth.test_connect import authorize_url, callback, code_for
from tests.support.auth import calls
from tests.support.memory import MemoryFixture
from tests.support.web import web_client

GUESS = f"{UUID(int=7).hex}.guess"


async def nothing_is_connected(stage: Stage, workspace: UUID) -> None:
    assert await stage.auth.service.connection_state(workspace, "xero") == "none"
    assert await events_of(stage.kept) == []


async def token_calls(stage: Stage) -> int:
    return sum(count for call, count in (await calls(stage.xero)).items() if call.startswith("POST /connect/token"))


async def test_a_code_that_comes_a_second_time_under_a_fresh_state_is_refused_with_xeros_own_word(stage: Stage) -> None:
    workspace, other = uuid4(), uuid4()
    first = await code_for(stage, await authorize_url(stage, workspace))
    assert (await callback(stage, workspace, first)).status_code == httpx.codes.OK
    fresh = await authorize_url(stage, other)
    again = await callback(stage, other, {"code": first["code"], "state": fresh["state"]})
    assert again.status_code == httpx.codes.BAD_REQUEST
    assert "invalid_grant" in again.text
    assert await stage.auth.service.connection_state(other, "xero") == "none"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"state": ""}, "does not belong to your visit"),
        ({"state": None}, "does not belong to your visit"),
        ({"state": GUESS}, "does not belong to your visit"),
        ({"state": "a" * 7000}, "does not belong to your visit"),
        ({"code": ""}, "without a code"),
        ({"code": None}, "without a code"),
        ({"code": "guess"}, "invalid_grant"),
        ({"iss": "https://evil.example"}, "names another server than Xero"),
        ({"iss": ""}, "names another server than Xero"),
        ({"iss": "http://["}, "names another server than Xero"),
        ({"iss": "https://oauth.qonto.com"}, "names another server than Xero"),
    ],
)
async def test_a_callback_that_does_not_fit_is_told_exactly_and_stores_nothing(
    quick: Stage, changed: dict[str, str | None], said: str
) -> None:
    workspace = uuid4()
    answer: dict[str, Any] = await code_for(quick, await authorize_url(quick, workspace))
    query = {name: value for name, value in {**answer, **changed}.items() if value is not None}
    page = await callback(quick, workspace, query)
    assert page.status_code == httpx.codes.BAD_REQUEST
    assert said in page.text
    assert page.headers["Cache-Control"] == "no-store"
    await nothing_is_connected(quick, workspace)
    # What is no answer of Xero's is found out before Xero is asked, and is used up all the same.
    assert await token_calls(quick) == (1 if said == "invalid_grant" else 0)
    if changed.get("state", "kept") == "kept":
        assert "used already" in (await callback(quick, workspace, answer)).text


async def test_an_issuer_that_is_xeros_own_is_taken(quick: Stage) -> None:
    workspace = uuid4()
    answer = await code_for(quick, await authorize_url(quick, workspace))
    page = await callback(quick, workspace, {**answer, "iss": quick.xero.url})
    assert page.status_code == httpx.codes.OK


async def test_who_only_looks_begins_and_ends_no_consent(quick: Stage) -> None:
    workspace = uuid4()
    answer = await code_for(quick, await authorize_url(quick, workspace))
    async with quick.auth.signed_in(workspace) as browser:
        for path in ("/connect/xero", "/connect/xero/callback"):
            looked = await browser.head(f"{quick.auth.url}{path}", params=answer)
            assert looked.status_code == httpx.codes.METHOD_NOT_ALLOWED
    await nothing_is_connected(quick, workspace)
    assert (await callback(quick, workspace, answer)).status_code == httpx.codes.OK


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\tx",
        "/x\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "data:text/html,x",
        "connect/xero",
        "",
        "http://localhost:1/",
    ],
)
@pytest.mark.parametrize("path", ["/connect/xero"])
async def test_no_address_of_ours_sends_a_browser_elsewhere(quick: Stage, path: str, address: str) -> None:
    async with quick.auth.signed_in(uuid4()) as browser:
        browser.follow_redirects = False
        answer = await browser.get(f"{quick.auth.url}{path}", params={"return_to": address})
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "Location" not in answer.headers


async def test_a_session_of_nobody_in_particular_tells_no_loopback_address(quick: Stage) -> None:
    """Only a sign-in link that a command made has one: it cannot be asked for in an address."""
    workspace = uuid4()
    async with quick.auth.signed_in(workspace) as browser:
        page = await browser.get(f"{quick.auth.url}/connect/xero?for=command&loopback=http://localhost:1/")
    assert page.url.host == "localhost"
    assert str(page.url).startswith(f"{quick.auth.url}/connect/xero/callback")
    assert page.status_code == httpx.codes.OK


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/connect/xero", 403),
        ("GET", "/connect/xero/callback?code=c&state=s", 403),
        ("GET", f"/connect/xero/callback?error=access_denied&state={GUESS}", 403),
        ("POST", "/connect/xero/choice", 403),
        ("GET", "/connections", 403),
        ("POST", "/connections/xero/disconnect", 403),
        ("GET", f"/consents/mcp?request={GUESS}", 403),
        ("POST", "/consents/mcp", 403),
        ("GET", "/sign-in", 403),
        ("GET", f"/sign-in?ticket={GUESS}", 403),
        ("POST", "/sign-in", 405),
        ("POST", "/connect/choice", 405),
        ("GET", "/connect/paypal", 403),
        ("GET", "/no-such-page", 404),
    ],
)
async def test_a_browser_without_a_session_gets_nowhere(quick: Stage, method: str, path: str, status: int) -> None:
    for cookie in (b"", GUESS.encode(), b"x" * 3000, "é".encode()):
        async with web_client() as stranger:
            headers = {b"Cookie": b"well_session=" + cookie} if cookie else {}
            answer = await stranger.request(method, f"{quick.auth.url}{path}", headers=headers)
        assert answer.status_code == status
        assert "<h1>" in answer.text
        assert "Set-Cookie" not in answer.headers


async def test_a_body_larger_than_any_form_is_refused_unread(quick: Stage) -> None:
    async with quick.auth.signed_in(uuid4()) as browser:
        for path in ("/consents/mcp", "/connect/xero/choice", "/connections/xero/disconnect"):
            answer = await browser.post(f"{quick.auth.url}{path}", content=b"a" * 20_000)
            assert answer.status_code in {httpx.codes.REQUEST_ENTITY_TOO_LARGE, httpx.codes.BAD_REQUEST}
            form = await browser.post(f"{quick.auth.url}{path}", data={"form": "a" * 20_000})
            assert form.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE


async def test_hundreds_of_bad_visits_store_no_row_and_keep_no_memory(quick: Stage) -> None:
    rows = await _rows(quick)
    async with quick.auth.signed_in(uuid4()) as browser:
        bad = [
            f"/connect/xero/callback?code=c&state={GUESS}",
            f"/connect/xero/callback?error=access_denied&state={UUID(int=9).hex}.other",
            "/connect/xero?return_to=//evil.example",
            f"/sign-in?ticket={GUESS}",
            f"/consents/mcp?request={GUESS}",
        ]

        async def visits(count: int) -> None:
            for number in range(count):
                answer = await browser.get(f"{quick.auth.url}{bad[number % len(bad)]}&n={number}")
                assert answer.is_client_error

        tracemalloc.start()
        held = []
        for _ in range(4):
            await visits(150)
            gc.collect()
            held.append((len(gc.get_objects()), tracemalloc.get_traced_memory()[0]))
        tracemalloc.stop()
    # What fills once, such as a library's cache, grows in one round; what is kept of each visit grows in all of them.
    objects, size_bytes = zip(*held, strict=True)
    assert min(after - before for before, after in pairwise(objects)) < 30
    assert min(after - before for before, after in pairwise(size_bytes)) < 30_000
    assert await _rows(quick) == {**rows, "auth.ticket": 1}  # the session of this browser


async def test_a_loop_of_visits_fills_no_table(quick: Stage) -> None:
    workspace = uuid4()
    connecting: Connecting = quick.auth.service.connecting
    for _ in range(LIVE_TICKETS):
        await connecting.begin(workspace, "xero", None)
    async with quick.auth.signed_in(workspace) as browser:
        browser.follow_redirects = False
        answer = await browser.get(f"{quick.auth.url}/connect/xero")
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "Too many visits are open" in answer.text
    quick.clock.advance(601)
    await connecting.begin(workspace, "xero", None)  # old ones made room
    assert (await _rows(quick))["auth.ticket"] < LIVE_TICKETS


async def test_programs_of_strangers_fill_no_table_and_hold_up_nobody(stage: Stage) -> None:
    auth, now = stage.auth.service, stage.clock.now()
    waiting = [
        Ticket("mcp_request", nth.to_bytes(32, "big"), b"{}", now + timedelta(seconds=60 + nth))
        for nth in range(LIVE_TICKETS)
    ]
    async with auth.database.transaction(INSTALLATION) as tx:
        for each in waiting:
            assert await auth.store.add_ticket(tx, each, now=now, limit=LIVE_TICKETS)
    words = {"client_name": "Ledger", "redirect_host": "localhost", "scopes": ()}
    page = await auth.ask_consent(**words, return_to="http://localhost:1/consented?request=7")
    assert (await auth.consents.request(httpx.URL(page).params["request"])).client_name == "Ledger"
    async with auth.database.transaction(INSTALLATION) as tx:
        seen = [await auth.store.see_ticket(tx, "mcp_request", each.sha256, now=now) for each in waiting]
    assert [each is None for each in seen] == [True, *[False] * (LIVE_TICKETS - 1)]


async def _rows(stage: Stage) -> dict[str, int]:
    """How many rows each of auth's tables has."""
    fixture = stage.kept.fixture
    assert isinstance(fixture, MemoryFixture)
    tables = (await fixture.database("auth")).tables
    counted: dict[str, int] = {}
    for (_, name), rows in tables.rows.items():
        counted[name] = counted.get(name, 0) + len(rows)
    return {name: count for name, count in counted.items() if count}
