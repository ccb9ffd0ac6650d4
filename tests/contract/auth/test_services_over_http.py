"""What is about HTTP alone when services ask auth: their tokens, sizes, outages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import structlog
from aiohttp import web
from structlog.testing import capture_logs

from libs.auth_client.call import CALL_SECONDS
from libs.auth_client.wire import PREFIX
from libs.contracts.consented import Consented
from libs.contracts.errors import Malformed, Rejected, Transient
from libs.contracts.identity import KeyPurpose
from libs.contracts.service_token import LIFE_SECONDS, minted
from libs.crypto.service_secret import service_secret
from libs.runtime.clock import ManualClock
from libs.runtime.listen import bound_socket, port_of
from libs.runtime.serving import serving
from services.auth.domain.rights import CLOCKS_APART_SECONDS
from services.auth.domain.wrapped_key import PURPOSES
from services.auth.inside import Inside
from services.auth.internal_api import BODY_MAX_BYTES
from tests.contract.auth.asking import MASTER, SECRETS, Asked

NONCE = "a-nonce-of-some-chance"

Ask = Callable[[Inside, UUID], Any]

NOT_FOR: list[tuple[str, Ask]] = [
    ("xero_mcp", lambda auth, _: auth.workspaces()),
    ("xero_mcp", lambda auth, _: auth.connected("xero")),
    ("matcher", lambda auth, workspace: auth.connection_state(workspace, "qonto")),
    ("matcher", lambda auth, workspace: auth.refused(workspace, "qonto", "t")),
    ("pusher", lambda auth, workspace: auth.refused(workspace, "xero", "t")),
    ("pusher", lambda auth, workspace: auth.forbidden(workspace, "xero")),
    ("pusher", lambda auth, _: auth.visitor("s")),
    ("insights", lambda auth, _: auth.erased()),
    ("ingest", lambda auth, _: auth.redeem_consent("g", return_to="r")),
    ("ingest", lambda auth, workspace: auth.consent_stands(Consented(workspace, workspace))),
    ("ingest", lambda auth, workspace: auth.end_consent(Consented(workspace, workspace))),
    ("ingest", lambda auth, _: auth.ask_consent(client_name="", redirect_host="", scopes=(), return_to="")),
]


@pytest.mark.parametrize(("service", "ask"), NOT_FOR, ids=[str(n) for n in range(len(NOT_FOR))])
async def test_a_service_gets_nothing_that_is_not_its_own(over_http: Asked, service: str, ask: Ask) -> None:
    with pytest.raises(Rejected) as refused:
        await ask(over_http.by(service), uuid4())
    assert refused.value.code == "not_allowed"


async def test_a_service_cannot_speak_in_anothers_name(over_http: Asked) -> None:
    workspace = await over_http.connected()
    for auth in (
        over_http.by("matcher", service="pusher"),
        over_http.by("pusher", secret=service_secret(b"\x08" * 32, "pusher")),
        over_http.by("stranger"),
    ):
        with pytest.raises(Rejected) as refused:
            await auth.lend(getattr(auth, "service", ""), workspace, "qonto")
        assert refused.value.code == "service_token"


async def test_each_service_gets_the_keys_of_what_it_seals_and_opens_and_no_others(over_http: Asked) -> None:
    workspace = uuid4()
    lent: dict[str, set[KeyPurpose]] = {service: set() for service in SECRETS}
    for service, purpose in product(SECRETS, PURPOSES):
        try:
            keys = await over_http.by(service).keys(workspace, purpose)
        except Rejected as refused:
            assert refused.code == "not_allowed"  # noqa: PT017 which of them are refused is what the test asks
        else:
            lent[service].add(purpose)
            assert (keys.index_secret is not None) == (purpose == "payloads")
    assert lent == {
        "xero_mcp": {"tokens"},
        "ingest": {"tokens", "payloads", "documents"},
        "matcher": {"payloads"},
        "pusher": {"payloads", "documents"},
        "console": {"payloads"},
        "audit": {"payloads"},
        "insights": {"payloads"},
    }


async def test_a_token_is_about_one_workspace_and_opens_no_other(over_http: Asked) -> None:
    mine, theirs = await over_http.connected(), await over_http.connected()
    base = f"{over_http.auth.url}{PREFIX}"
    consent = {"workspace": str(mine), "consent": str(uuid4())}
    for about in (theirs, None):
        for service, method, path, body in (
            ("pusher", "POST", "tokens/qonto/lend", {"workspace": str(mine)}),
            ("pusher", "POST", "tokens/qonto/refused", {"workspace": str(mine), "secret": "t"}),
            ("pusher", "POST", "tokens/qonto/forbidden", {"workspace": str(mine)}),
            ("pusher", "GET", f"workspaces/{mine}/keys/payloads", None),
            ("pusher", "GET", f"workspaces/{mine}/connections/qonto", None),
            ("xero_mcp", "POST", "consents/stands", consent),
            ("xero_mcp", "POST", "consents/end", consent),
        ):
            token = minted(service, about, secret=SECRETS[service], now=over_http.clock.now(), nonce=NONCE)
            headers = {"Authorization": f"Bearer {token}"}
            answer = await over_http.http.request(method, f"{base}/{path}", json=body, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "another_workspace"), path
    assert (await over_http.by("pusher").lend("pusher", mine, "qonto")).secret


async def test_a_token_is_good_for_its_minute_and_never_longer(over_http: Asked) -> None:
    workspace, now = await over_http.connected(), over_http.clock.now()
    url = f"{over_http.auth.url}{PREFIX}/workspaces/{workspace}/keys/payloads"
    token = minted("matcher", workspace, secret=SECRETS["matcher"], now=now, nonce=NONCE)

    async def status(shown: str) -> int:
        return (await over_http.http.get(url, headers={"Authorization": f"Bearer {shown}"})).status_code

    assert [await status(token), await status(token)] == [200, 200]  # a replay within its life is accepted
    over_http.clock.advance(LIFE_SECONDS)
    assert await status(token) == 403
    clock = ManualClock(over_http.clock.now())
    for seconds_apart in (-LIFE_SECONDS - 1, CLOCKS_APART_SECONDS + 2):
        clock = ManualClock(over_http.clock.now())
        clock.advance(seconds_apart)
        with pytest.raises(Rejected, match="compare the clocks") as refused:
            await over_http.by("matcher", clock=clock).keys(workspace, "payloads")
        assert refused.value.code == "service_token_expired"


@pytest.mark.parametrize("place", range(5))
async def test_a_token_that_was_tampered_with_opens_nothing(over_http: Asked, place: int) -> None:
    parts = minted("ingest", None, secret=SECRETS["ingest"], now=over_http.clock.now(), nonce=NONCE).split(".")
    changed = ("pusher", uuid4().hex, str(int(parts[2]) + 1), parts[3][::-1], parts[4][::-1])
    parts[place] = changed[place]
    answer = await over_http.http.get(
        f"{over_http.auth.url}{PREFIX}/workspaces", headers={"Authorization": "Bearer " + ".".join(parts)}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "service_token")


async def test_without_a_token_nothing_is_told_not_even_what_there_is(over_http: Asked) -> None:
    for path in ("workspaces", f"workspaces/{uuid4()}/keys/payloads", "no-such-thing"):
        for headers in ({}, {"Authorization": "Bearer ."}, {"Authorization": "Bearer x.1." + "y" * 4000}):
            answer = await over_http.http.get(f"{over_http.auth.url}{PREFIX}/{path}", headers=headers)
            assert (answer.status_code, answer.json()["kind"]) == (403, "Rejected"), path


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "tokens/qonto/lend", b"", 400),
        ("POST", "tokens/qonto/lend", b'{"workspace": "7"}', 400),
        ("POST", "tokens/qonto/lend", b'{"workspace": "93ec0f69-3670-4af8-95fe-ba0853286485", "more": 1}', 400),
        ("POST", "tokens/paypal/lend", b"{}", 400),
        ("POST", "tokens/qonto/lend", b"[" * (BODY_MAX_BYTES + 1), 413),
        ("GET", "workspaces?connected=paypal", b"", 400),
        ("GET", "workspaces/7/keys/payloads", b"", 400),
        ("GET", f"workspaces/{UUID(int=7)}/keys/index", b"", 400),
        ("GET", "no-such-thing", b"", 404),
        ("DELETE", "workspaces", b"", 405),
    ],
    ids=[
        "empty",
        "no-id",
        "more",
        "provider",
        "too-large",
        "list",
        "no-workspace",
        "no-purpose",
        "no-path",
        "no-method",
    ],
)
async def test_what_is_no_call_of_ours_is_malformed(
    over_http: Asked, method: str, path: str, body: bytes, status: int
) -> None:
    token = minted("pusher", None, secret=SECRETS["pusher"], now=over_http.clock.now(), nonce=NONCE)
    answer = await over_http.http.request(
        method, f"{over_http.auth.url}{PREFIX}/{path}", content=body, headers={"Authorization": f"Bearer {token}"}
    )
    assert (answer.status_code, answer.json()["kind"]) == (status, "Malformed")


async def test_words_too_long_to_be_asked_with_do_not_leave(over_http: Asked) -> None:
    auth = over_http.by("xero_mcp")
    with pytest.raises(Malformed):
        await auth.ask_consent(client_name="x" * 5000, redirect_host="h", scopes=(), return_to="r")
    with pytest.raises(Rejected):
        await auth.redeem_consent("g" * 5000, return_to="r")
    with pytest.raises(Rejected):
        await over_http.by("ingest").visitor("s" * 5000)


async def test_a_list_is_asked_for_once_a_second_and_a_token_every_time(over_http: Asked) -> None:
    asked: list[str] = []

    async def count(request: httpx.Request) -> None:
        asked.append(request.url.path.removeprefix(PREFIX))

    over_http.http.event_hooks = {"request": [count], "response": []}
    clock = ManualClock(over_http.clock.now())
    auth, workspace = over_http.by("pusher", clock=clock), await over_http.connected()
    for _ in range(3):
        await auth.connected("qonto")
        await auth.lend("pusher", workspace, "qonto")
    assert asked == ["/workspaces", *["/tokens/qonto/lend"] * 3]
    clock.advance(1)
    assert list(await auth.connected("qonto")) == [workspace]
    assert asked.count("/workspaces") == 2


async def test_nothing_secret_stands_in_a_log_an_error_or_a_repr(over_http: Asked) -> None:
    structlog.reset_defaults()
    workspace = await over_http.connected()
    auth = over_http.by("pusher")
    lent = await auth.lend("pusher", workspace, "qonto")
    keys = await auth.keys(workspace, "payloads")
    with capture_logs() as logs:
        for refused in (
            over_http.by("matcher").refused(workspace, "qonto", lent.secret),
            over_http.by("pusher", secret=MASTER).lend("pusher", workspace, "qonto"),
        ):
            with pytest.raises(Rejected) as error:
                await refused
            assert MASTER.hex() not in repr(error.value)
    assert [log["code"] for log in logs] == ["not_allowed", "service_token"]
    said = repr((logs, lent, keys, auth))
    for secret in (
        lent.secret,
        keys.current.secret.hex(),
        keys.index_secret.hex(),
        repr(keys.index_secret),
        ".a-nonce",
    ):
        assert secret not in said
    assert repr(SECRETS["pusher"]) not in said


async def test_auth_that_is_down_or_something_else_is_waited_for(over_http: Asked) -> None:
    nobody = bound_socket()
    port = port_of(nobody)
    nobody.close()
    with pytest.raises(Transient, match="Auth does not answer"):
        await over_http.by("pusher", url=f"http://127.0.0.1:{port}").workspaces()

    async def anything(request: web.Request) -> web.Response:
        return web.Response(text="<html>", status=int(request.path.rsplit("/", 1)[0].strip("/").split("/")[0]))

    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", anything)
    bound = bound_socket()
    async with serving(app, bound):
        for status in (200, 404, 502):
            with pytest.raises(Transient, match="none of auth's"):
                await over_http.by("pusher", url=f"http://127.0.0.1:{port_of(bound)}/{status}").workspaces()


async def test_an_outage_of_auths_database_arrives_as_one(over_http: Asked) -> None:
    """A call takes no longer than its bound, and the sentence is the one that auth gave."""

    async def away(_: web.Request) -> web.Response:
        body = {"kind": "Transient", "sentence": "Postgres could not do it this time.", "retry_after_seconds": 7.5}
        return web.json_response(body, status=503)

    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", away)
    bound = bound_socket()
    async with serving(app, bound), asyncio.timeout(CALL_SECONDS):
        with pytest.raises(Transient, match="Postgres could not do it") as error:
            await over_http.by("pusher", url=f"http://127.0.0.1:{port_of(bound)}").lend("pusher", uuid4(), "qonto")
    assert error.value.retry_after_seconds == 7.5
