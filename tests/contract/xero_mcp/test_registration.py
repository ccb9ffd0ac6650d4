"""Programs that register themselves (RFC 7591): what they may say, how many, and how fast."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psutil
import pytest

from libs.crypto.bearer import INSTALLATION
from services.xero_mcp.domain.registration import CLIENTS_MAX, REGISTRATIONS_A_MINUTE
from tests.contract.xero_mcp.asking import post, refreshing, register, registered, tokens_of
from tests.contract.xero_mcp.conftest import CALLBACK, McpStage, mcp_stage
from tests.support.memory import MemoryFixture
from tests.support.web import web_client

WORDS = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}

FLOOD = 10_000


async def test_a_registration_is_answered_with_what_was_kept_of_it(stage: McpStage) -> None:
    answer = await register(stage, {"software_id": "unknown here", "client_uri": None, "logo_uri": "http://x/y"})
    assert answer.status_code == httpx.codes.CREATED
    words = answer.json()
    assert words.pop("client_id")
    assert words.pop("client_id_issued_at") > 0
    assert words == {
        "client_name": "Tester",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": "xero.read",
    }


async def test_a_client_that_says_nothing_gets_a_secret_and_one_that_is_public_none(quick: McpStage) -> None:
    silent = (await register(quick, {"token_endpoint_auth_method": None})).json()
    assert silent["token_endpoint_auth_method"] == "client_secret_basic"  # noqa: S105 RFC 7591, section 2
    assert (len(silent["client_secret"]), silent["client_secret_expires_at"]) == (43, 0)
    assert "client_secret" not in (await register(quick)).json()


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({"redirect_uris": ["http://evil.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["com.example.app:/callback"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://a.example/#part"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://name:word@a.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://a.example\\@b.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://a.example:99999/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://[::1"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://exаmple.com/"]}, "invalid_redirect_uri"),  # noqa: RUF001 a Cyrillic letter
        ({"redirect_uris": [f"https://a.example/{'x' * 512}"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [f"https://a.example/{n}" for n in range(11)]}, "invalid_redirect_uri"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": None}, "invalid_redirect_uri"),
        ({"redirect_uris": [7]}, "invalid_redirect_uri"),
        ({"redirect_uris": CALLBACK}, "invalid_redirect_uri"),
        ({"scope": "xero.read xero.write"}, "invalid_client_metadata"),
        ({"scope": ["xero.read"]}, "invalid_client_metadata"),
        ({"grant_types": ["authorization_code", "client_credentials"]}, "invalid_client_metadata"),
        ({"grant_types": ["refresh_token"]}, "invalid_client_metadata"),
        ({"grant_types": {"authorization_code": 1}}, "invalid_client_metadata"),
        ({"response_types": ["code", "token"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
        ({"client_name": "x" * 101}, "invalid_client_metadata"),
        ({"client_name": "a\u202eb"}, "invalid_client_metadata"),
        ({"client_name": ["Well"]}, "invalid_client_metadata"),
        ({"contacts": ["x" * 9000]}, "invalid_client_metadata"),
    ],
)
async def test_a_registration_that_asks_for_too_much_is_refused_and_nothing_is_kept(
    quick: McpStage, words: dict[str, Any], error: str
) -> None:
    answer = await register(quick, words)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert (await quick.kept())["client"] == 0


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"redirect_uris":' * 400, b"x" * 5_000_000])
async def test_what_is_no_registration_is_refused(quick: McpStage, body: bytes) -> None:
    async with web_client() as http:
        answer = await http.post(f"{quick.root}/register", content=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
    assert (await quick.kept())["client"] == 0


async def test_ten_thousand_registrations_leave_a_minutes_worth_and_memory_as_it_was(memory: MemoryFixture) -> None:
    async with mcp_stage(memory) as stage:
        first = await flood(stage, 1000)
        assert sorted(first) == [b"201", b"429"]
        resident_bytes = psutil.Process().memory_info().rss
        rest = await flood(stage, FLOOD - 1000)
        assert psutil.Process().memory_info().rss - resident_bytes < 10_000_000
        kept = (await stage.kept())["client"]
        assert kept == first[b"201"] + rest[b"201"]
        assert kept <= REGISTRATIONS_A_MINUTE * 2  # slow machines take more than a minute over it
        assert first.total() + rest.total() == FLOOD


async def flood(stage: McpStage, many: int) -> Counter[bytes]:
    """Statuses of as many registrations on one connection, sent without waiting for answers."""
    at = urlsplit(stage.root)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    body = json.dumps(WORDS)
    head = f"POST /register HTTP/1.1\r\nHost: {at.netloc}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(f"{head}{body}".encode() * many)
    codes: Counter[bytes] = Counter()
    while codes.total() < many:
        status = (await reader.readline()).split()[1]
        size = 0
        while (line := await reader.readline()).strip():
            name, _, value = line.partition(b":")
            size = int(value) if name.lower() == b"content-length" else size
        await reader.readexactly(size)
        codes[status] += 1
    writer.close()
    return codes


async def test_unused_clients_are_swept_and_used_ones_stay(stage: McpStage) -> None:
    used = await registered(stage)
    await tokens_of(stage, used)
    for _ in range(3):
        await registered(stage)
    stage.clock.advance(1801)
    newest = await registered(stage)
    assert (await stage.kept())["client"] == 2
    await tokens_of(stage, newest)
    stage.clock.advance(33 * 86_400)
    await registered(stage)  # no refresh token lives as long: both are strangers by now
    assert (await stage.kept())["client"] == 1


async def test_a_client_that_goes_on_refreshing_is_not_swept(stage: McpStage) -> None:
    client = await registered(stage)
    tokens = await tokens_of(stage, client)
    for _ in range(3):
        stage.clock.advance(20 * 86_400)
        tokens = (await post(stage, "/token", refreshing(client, tokens["refresh_token"]))).json()
        await registered(stage)
    assert "access_token" in tokens


async def test_a_full_table_takes_no_more_and_says_when_to_come_back(stage: McpStage) -> None:
    await registered(stage)
    async with stage.database.transaction(INSTALLATION) as tx:
        for _ in range(CLIENTS_MAX - 1):
            await stage.store.add_client(tx, str(uuid4()), b"{}", now=stage.clock.now())
    stage.clock.advance(61)
    answer = await register(stage)
    assert (answer.status_code, answer.json()["error"]) == (429, "temporarily_unavailable")
    assert int(answer.headers["Retry-After"]) == 1800
    stage.clock.advance(1800)
    assert (await register(stage)).status_code == httpx.codes.CREATED
