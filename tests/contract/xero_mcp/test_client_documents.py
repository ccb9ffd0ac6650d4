"""Programs that never registered and are known by a document at their own https address.

Source: draft-ietf-oauth-client-id-metadata-document; MCP 2026-07-28 prefers it to registration.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.contracts.errors import Rejected, Transient
from libs.runtime.clock import SystemClock
from services.xero_mcp.adapters.client_documents import READS_A_MINUTE, READS_AT_ONCE, FetchedDocuments, is_open
from services.xero_mcp.adapters.memory import MemoryXeroMcpStore
from services.xero_mcp.domain.registration import is_document_address
from services.xero_mcp.flow.clients import DOCUMENTS_KEPT, Clients
from tests.contract.xero_mcp.asking import asking, authorize, buying, post, refreshing, tokens_of
from tests.contract.xero_mcp.conftest import McpStage, mcp_stage
from tests.contract.xero_mcp.document_host import DocumentHost, document, document_host
from tests.contract.xero_mcp.test_official_client import official_client
from tests.support.memory import MemoryFixture
from tests.support.until import DEADLINE_SECONDS, until


@asynccontextmanager
async def beside_a_host(
    memory: MemoryFixture, folder: Path, *, loopback: bool = True
) -> AsyncIterator[tuple[McpStage, DocumentHost]]:
    async with document_host(folder) as host:
        settings = {"documents_from_loopback": loopback}
        async with mcp_stage(memory, settings=settings, trusted=host.trusted) as stage:
            yield stage, host


async def test_the_official_client_is_known_by_its_document_and_registers_nowhere(
    memory: MemoryFixture, tmp_path: Path
) -> None:
    async with beside_a_host(memory, tmp_path) as (stage, host):
        async with official_client(stage, document=host.url) as client:
            answer = await client.call_tool("list_invoices", {"type": "ACCPAY"})
        assert not answer.is_error
        assert host.asked == 1
        assert (await stage.kept())["client"] == 0


async def test_the_page_says_which_host_vouches_for_it(memory: MemoryFixture, tmp_path: Path) -> None:
    async with beside_a_host(memory, tmp_path) as (stage, host):
        asked = await authorize(stage, asking(stage, host.url))
        page = await stage.page(asked.headers["Location"])
        assert httpx.URL(host.url).netloc.decode() in page.text


async def test_its_codes_and_tokens_are_its_own_while_its_host_is_away(memory: MemoryFixture, tmp_path: Path) -> None:
    async with beside_a_host(memory, tmp_path) as (stage, host):
        asked = await authorize(stage, asking(stage, host.url))
        form = buying(host.url, (await stage.visit(asked.headers["Location"]))["code"])
        host.status = 500
        other = await post(stage, "/token", {**form, "client_id": "https://localhost/other.json"})
        assert other.json()["error"] == "invalid_grant"
        tokens = (await post(stage, "/token", form)).json()
        answer = await post(stage, "/token", refreshing(host.url, tokens["refresh_token"]))
        assert answer.status_code == httpx.codes.OK


async def test_a_document_that_asks_for_no_refresh_tokens_gets_none(memory: MemoryFixture, tmp_path: Path) -> None:
    async with beside_a_host(memory, tmp_path) as (stage, host):
        host.words = document(host.url, grant_types=["authorization_code"])
        tokens = await tokens_of(stage, host.url)
        assert "refresh_token" not in tokens
        assert (await stage.kept())["refresh"] == 0


@pytest.mark.parametrize(
    "bent",
    [
        {"words": {"client_id": "https://elsewhere.example/client.json"}},
        {"words": {"redirect_uris": ["http://evil.example/"]}},
        {"words": {"redirect_uris": ["https://a.example/other"]}},
        {"words": {"token_endpoint_auth_method": "client_secret_post"}},
        {"words": {"client_secret": "shared with everybody"}},
        {"words": {"grant_types": ["client_credentials"]}},
        {"words": {"client_name": "a\u202eb"}},
        {"words": {"logo_uri": "x" * 9000}},
        {"body": b"[]"},
        {"body": b"<html>"},
        {"status": 404},
        {"status": 302},
    ],
)
async def test_a_document_that_does_not_speak_for_the_client_leads_nowhere(
    memory: MemoryFixture, tmp_path: Path, bent: dict[str, Any]
) -> None:
    async with beside_a_host(memory, tmp_path) as (stage, host):
        host.words = bent.get("body", document(host.url, **bent.get("words", {})))
        host.status = bent.get("status", 200)
        answer = await authorize(stage, asking(stage, host.url))
        assert answer.status_code == httpx.codes.BAD_REQUEST
        assert "Location" not in answer.headers
        assert host.asked == 1
        assert (await stage.kept())["request"] == 0


async def test_a_document_on_this_machine_is_not_even_asked_for_unless_the_installation_says_so(
    memory: MemoryFixture, tmp_path: Path
) -> None:
    async with beside_a_host(memory, tmp_path, loopback=False) as (stage, host):
        answer = await authorize(stage, asking(stage, host.url))
        assert (answer.status_code, host.asked) == (400, 0)


async def test_a_document_is_believed_for_five_minutes(memory: MemoryFixture, tmp_path: Path) -> None:
    async with beside_a_host(memory, tmp_path) as (stage, host):
        for _ in range(2):
            await authorize(stage, asking(stage, host.url))
        assert host.asked == 1
        stage.clock.advance(301)
        await authorize(stage, asking(stage, host.url))
        assert host.asked == 2


async def test_a_host_that_never_answers_is_given_up(tmp_path: Path) -> None:
    async with document_host(tmp_path) as host:
        host.silent = True
        documents = FetchedDocuments(host.trusted, from_loopback=True, seconds=0.3)
        with pytest.raises(Transient):
            await documents.read(host.url)


async def test_a_certificate_is_asked_for_the_name_and_not_for_the_address(tmp_path: Path) -> None:
    async with document_host(tmp_path, names=("elsewhere.example",)) as host:
        with pytest.raises(Transient):
            await FetchedDocuments(host.trusted, from_loopback=True).read(host.url)
        assert host.asked == 0


async def test_few_documents_are_read_at_once_and_in_a_minute(tmp_path: Path) -> None:
    async with document_host(tmp_path) as host:
        documents = FetchedDocuments(host.trusted, from_loopback=True)
        host.silent = True
        held = [asyncio.create_task(documents.read(host.url)) for _ in range(READS_AT_ONCE)]

        async def all_asked() -> bool:
            return host.asked == READS_AT_ONCE

        await until(all_asked)
        with pytest.raises(Transient):
            await documents.read(host.url)
        host.silent = False
        host.leaving.set()
        await asyncio.gather(*held)

        async def read_on() -> None:
            for _ in range(READS_A_MINUTE * 2):  # one more each second that this takes
                await documents.read(host.url)

        with pytest.raises(Transient):
            await read_on()
        assert host.asked >= READS_A_MINUTE


async def test_a_name_server_that_never_answers_holds_up_no_other_name(tmp_path: Path) -> None:
    over = threading.Event()

    def held(host: str, port: int) -> list[str]:
        over.wait(DEADLINE_SECONDS)
        return [host, str(port)]

    async with document_host(tmp_path) as host:
        documents = FetchedDocuments(host.trusted, from_loopback=True, seconds=0.1, resolve=held)
        for _ in range(5):
            reads = (documents.read(host.url) for _ in range(READS_AT_ONCE))
            given_up = await asyncio.gather(*reads, return_exceptions=True)
            assert [type(each) for each in given_up] == [Transient] * READS_AT_ONCE
        try:
            async with asyncio.timeout(DEADLINE_SECONDS / 2):
                assert await asyncio.get_running_loop().getaddrinfo("localhost", 1)
        finally:
            over.set()


async def test_a_name_is_asked_for_once_and_one_private_address_behind_it_is_enough(tmp_path: Path) -> None:
    async with document_host(tmp_path) as host:
        asked: list[str] = []

        def changing(name: str, _: int) -> list[str]:
            asked.append(name)
            return ["93.184.215.14", "10.0.0.1"] if len(asked) == 1 else ["127.0.0.1"]

        documents = FetchedDocuments(host.trusted, from_loopback=True, resolve=changing)
        with pytest.raises(Rejected, match="public internet"):
            await documents.read(host.url)
        assert (asked, host.asked) == (["localhost"], 0)
        assert await documents.read(host.url)
        assert (asked, host.asked) == (["localhost"] * 2, 1)


async def test_only_so_many_documents_are_remembered(memory: MemoryFixture) -> None:
    class Anything:
        asked = 0

        async def read(self, address: str) -> object:
            self.asked += 1
            return document(address)

    documents, database = Anything(), await memory.database("xero_mcp")
    clients = Clients(database=database, store=MemoryXeroMcpStore(), documents=documents, clock=SystemClock())
    addresses = [f"https://host.example/{number}" for number in range(DOCUMENTS_KEPT * 3)]
    for address in addresses:
        await clients.asking(address)
    for address in addresses[-DOCUMENTS_KEPT:]:
        await clients.asking(address)
    assert documents.asked == len(addresses)
    await clients.asking(addresses[0])
    assert documents.asked == len(addresses) + 1


@pytest.mark.parametrize(
    "address",
    """127.0.0.1 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 240.0.0.1 198.18.0.1
    ::1 :: fe80::1 fd00::1 fec0::1 ff02::1 2001:db8::1 ::ffff:10.0.0.1 ::127.0.0.1 64:ff9b::a00:1 2002:a00:1::
    fe80::1%lo localhost""".split(),
)
def test_no_stranger_has_us_knock_at_a_private_door(address: str) -> None:
    assert not is_open(address, loopback=False)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_the_loopback_opens_where_the_installation_says_so_and_nothing_else_does(address: str) -> None:
    assert is_open(address, loopback=True)
    assert not is_open("10.0.0.1", loopback=True)
    assert is_open("93.184.215.14", loopback=False)
    assert is_open("2606:4700::1111", loopback=False)


@pytest.mark.parametrize(
    "client_id",
    [
        "https://host.example",
        "https://host.example/",
        "http://host.example/client.json",
        "https://host.example/a/../client.json",
        "https://host.example/./client.json",
        "https://host.example/client.json?v=1",
        "https://host.example/client.json#x",
        "https://me:word@host.example/client.json",
        "https:///client.json",
        "https://host.example/%2e%2E/client.json",
        "https://host..example/client.json",
        f"https://{'x' * 64}.example/client.json",
        "https://[::1]x/client.json",
        "https://[fe80::1%25lo]/client.json",
        f"https://host.example/{'x' * 512}",
    ],
)
def test_an_address_that_could_be_read_in_two_ways_is_no_client(client_id: str) -> None:
    assert not is_document_address(client_id)
    assert is_document_address("https://host.example:8443/client.json")


async def test_a_name_that_leads_nowhere_is_refused_in_words(tmp_path: Path) -> None:
    async with document_host(tmp_path) as host:
        with pytest.raises(Rejected) as refusal:
            await FetchedDocuments(host.trusted, from_loopback=False).read(host.url)
        assert refusal.value.code == "client_document"
        assert host.url not in refusal.value.sentence
