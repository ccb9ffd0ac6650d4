"""Bytes that no client library sends, to the authorization server and the tools: told exactly, and nothing kept."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime
from itertools import product
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import TypeAdapter

from services.xero_mcp.api.tools import Since
from services.xero_mcp.main import MESSAGE_MAX_BYTES
from tests.contract.xero_mcp.asking import asking, authorize, opens, post, refreshing, register, registered, tokens_of
from tests.contract.xero_mcp.conftest import BILL, CALLBACK, FILE, McpStage
from tests.support.auth import calls
from tests.support.web import web_client

NO_PROOF = (
    b"Basic \xe9",
    "Basic é".encode(),
    b"Basic",
    b"Basic ====",
    b"Basic " + base64.b64encode(b"\xff:\xff"),
    b"Basic " + base64.b64encode(b"a\0:b"),
    b"\xff",
)

NOT_MEANT: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("get_invoice", {"invoice_id": "x"}, "not one"),
    ("get_invoice", {"invoice_id": "a" * 60_000}, "not one"),
    ("get_invoice", {"invoice_id": "../../Organisation"}, "not one"),
    ("get_invoice", {"invoice_id": "\0"}, "not one"),
    ("list_attachments", {"invoice_id": f"{BILL}?a=b"}, "not one"),
    ("get_attachment", {"invoice_id": BILL, "attachment_id": ".."}, "not one"),
    ("get_attachment", {"invoice_id": "é", "attachment_id": FILE}, "not one"),
    ("list_invoices", {"modified_since": "0001-01-01T00:00:00+14:00"}, "year from 1"),
    ("list_contacts", {"modified_since": "9999-12-31T23:59:59-14:00"}, "year from 1"),
)


async def test_a_client_that_proves_itself_in_no_alphabet_is_an_unknown_one(quick: McpStage) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "x", "token": "x"}
    async with web_client() as http:
        for path, shown in product(("/token", "/revoke"), NO_PROOF):
            answer = await http.post(f"{quick.root}{path}", data=form, headers={b"Authorization": shown})
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), shown


async def test_an_options_request_is_none_for_a_token(quick: McpStage) -> None:
    client = await registered(quick)
    tokens = await tokens_of(quick, client)
    query = refreshing(client, tokens["refresh_token"])
    metadata = {"redirect_uris": [CALLBACK]}
    before = await quick.kept()
    async with web_client() as http:
        for path, words in (("/token", {"params": query}), ("/revoke", {"params": query}), ("/register", {})):
            bare = await http.request("OPTIONS", f"{quick.root}{path}", json=metadata, **words)
            assert (bare.status_code, bare.headers["Allow"]) == (405, "POST")
            origin = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
            asked = await http.request("OPTIONS", f"{quick.root}{path}", headers=origin)
            assert asked.headers["Access-Control-Allow-Origin"] == "*"
    assert await quick.kept() == before


async def test_a_request_that_breaks_off_keeps_nothing_and_is_no_error_of_ours(
    quick: McpStage, caplog: pytest.LogCaptureFixture
) -> None:
    address = urlsplit(quick.root)
    for path in (b"/token", b"/register"):
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        head = b"Host: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n"
        writer.write(b"POST " + path + b" HTTP/1.1\r\n" + head + b"\r\ngrant_type=")
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
    assert await post(quick, "/token", {})  # whatever the two left behind is over
    assert not caplog.records
    assert set((await quick.kept()).values()) == {0}


async def test_an_answer_is_added_to_whatever_query_the_address_has(quick: McpStage) -> None:
    for address in (f"{CALLBACK}?", f"{CALLBACK}?a=", f"{CALLBACK}?a"):
        client = (await register(quick, {"redirect_uris": [address]})).json()["client_id"]
        answer = await authorize(quick, {**asking(quick, client, redirect_uri=address), "scope": "xero.write"})
        query = urlsplit(answer.headers["Location"]).query
        assert "&error=invalid_scope&" in f"&{query}&"
        assert "?" not in query


async def test_there_is_nothing_to_listen_for_so_no_stream_is_held_open(quick: McpStage) -> None:
    tokens = await tokens_of(quick, await registered(quick))
    headers = {"Authorization": f"Bearer {tokens['access_token']}", "Accept": "text/event-stream"}
    async with web_client() as http:
        for method in ("GET", "DELETE"):
            assert (await http.request(method, quick.mcp.url)).status_code == httpx.codes.UNAUTHORIZED
            answer = await http.request(method, quick.mcp.url, headers=headers)
            assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert await opens(quick, tokens["access_token"])


async def test_an_address_with_a_slash_too_many_is_none_and_sends_nobody_elsewhere(quick: McpStage) -> None:
    async with web_client() as http:
        for path in ("/token/", "/authorize/", "/register/", "/mcp/", "/consented/"):
            for method in ("GET", "POST"):
                answer = await http.request(method, f"{quick.root}{path}", headers={"Host": "evil.example"})
                assert answer.status_code == httpx.codes.NOT_FOUND, path
                assert "Location" not in answer.headers


async def test_a_message_longer_than_any_call_is_not_held(quick: McpStage) -> None:
    access = (await tokens_of(quick, await registered(quick)))["access_token"]
    with pytest.raises(httpx.HTTPStatusError) as refused:
        await _called(quick, access, "list_invoices", {"more": "a" * MESSAGE_MAX_BYTES})
    assert refused.value.response.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE


async def test_arguments_that_cannot_be_meant_cost_no_call_to_xero(
    quick: McpStage, caplog: pytest.LogCaptureFixture
) -> None:
    access = (await tokens_of(quick, await registered(quick)))["access_token"]
    before = await calls(quick.xero)
    for tool, arguments, said in NOT_MEANT:
        answer = await _called(quick, access, tool, arguments)
        assert answer["isError"], arguments
        assert said in answer["content"][0]["text"], arguments
    assert await calls(quick.xero) == before
    assert not caplog.records


@pytest.mark.parametrize("said", ["2026-11-01T00:00:00", "2026-11-01", "2026-11-01T01:30:00+01:30"])
def test_an_instant_without_a_zone_is_one_in_utc_wherever_the_server_stands(said: str) -> None:
    assert TypeAdapter(Since).validate_python(said) == datetime(2026, 11, 1, tzinfo=UTC)


async def _called(stage: McpStage, access_token: str, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """What a tool answers."""
    async with web_client() as http:
        answer = await http.post(
            stage.mcp.url,
            json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}},
            headers={
                "Authorization": f"Bearer {access_token}",
                "Accept": "application/json, text/event-stream",
                "MCP-Protocol-Version": "2025-11-25",
            },
        )
    result: dict[str, Any] = answer.raise_for_status().json()["result"]
    return result
