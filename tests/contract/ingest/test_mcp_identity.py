"""Who ingest is to authorization servers, in which order, and whose browser may bring a consent home."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer

from libs.contracts.errors import Rejected, Transient
from libs.crypto.bearer import INSTALLATION
from libs.runtime.clock import ManualClock
from services.ingest.adapters.mcp_bearer import TURN
from services.ingest.adapters.mcp_clients import ISSUERS_MAX
from services.ingest.adapters.mcp_grant import GrantKeeper
from services.ingest.adapters.mcp_xero import XeroOverMcp
from services.ingest.adapters.memory_providers import MemoryProvider
from services.ingest.api import CLIENT_DOCUMENT_PATH, application
from services.ingest.domain.registration import RegisteredByHand
from services.ingest.flow.connect import Departures
from tests.contract.ingest.conftest import NOW, Kept
from tests.contract.ingest.mcp_stage import Ingest, staged
from tests.contract.ingest.mcp_stand_in import LIFETIME_SECONDS, McpStandIn, running
from tests.support.until import until

pytestmark = pytest.mark.parametrize("backend", ["memory", "postgres"], indirect=True)

DOCUMENT = "https://well.example/ingest/oauth/client.json"


@asynccontextmanager
async def beside(
    kept: Kept, server: McpStandIn, *, document: str | None = None, by_hand: RegisteredByHand | None = None
) -> AsyncIterator[Ingest]:
    async with running(server):
        if by_hand is not None:
            by_hand = RegisteredByHand(by_hand.issuer or server.url, by_hand.client_id, by_hand.client_secret)
        async with staged(kept, server, document=document, by_hand=by_hand) as ingest:
            yield ingest


def stand_in(kept: Kept) -> McpStandIn:
    return McpStandIn(MemoryProvider(), kept.workspace)


@pytest.mark.parametrize("secret", [None, "a secret from the portal"])
async def test_a_client_registered_by_hand_comes_first_and_proves_itself(kept: Kept, secret: str | None) -> None:
    server = stand_in(kept)
    server.reads_documents, server.registers = True, False
    by_hand = RegisteredByHand("", "by-hand", secret)
    async with beside(kept, server, document=DOCUMENT, by_hand=by_hand) as ingest:
        await ingest.consent()
        kept.clock.advance(LIFETIME_SECONDS)
        await ingest.reader().records(kept.workspace, "bill", page=1, since=None)
    assert [query["client_id"] for query in server.authorized] == ["by-hand"]
    assert server.clients == [("by-hand", secret is not None)] * 2
    assert server.registered == []


async def test_a_client_registered_by_hand_is_shown_to_its_own_issuer_alone(kept: Kept) -> None:
    server = stand_in(kept)
    elsewhere = RegisteredByHand("https://identity.example", "by-hand", "a secret of theirs")
    async with beside(kept, server, by_hand=elsewhere) as ingest:
        await ingest.consent()
    assert server.authorized[0]["client_id"].startswith("client-")
    assert server.clients[0][1] is False


async def test_our_document_comes_second_where_the_server_reads_such(kept: Kept) -> None:
    server = stand_in(kept)
    server.reads_documents = True
    async with beside(kept, server, document=DOCUMENT) as ingest:
        await ingest.consent()
        kept.clock.advance(LIFETIME_SECONDS)
        await ingest.reader().records(kept.workspace, "bill", page=1, since=None)
    assert [query["client_id"] for query in server.authorized] == [DOCUMENT]
    assert server.clients == [(DOCUMENT, False)] * 2
    assert server.registered == []


async def test_a_registration_comes_third_and_is_made_once_for_every_workspace(kept: Kept) -> None:
    server = stand_in(kept)
    async with beside(kept, server, document=DOCUMENT) as ingest:
        await ingest.consent()
        await ingest.consent(uuid4())
    assert len(server.registered) == 1
    assert len({query["client_id"] for query in server.authorized}) == 1
    assert server.registered[0]["application_type"] == "native"


async def test_what_one_issuer_gave_is_shown_to_no_other_and_used_again_at_home(kept: Kept) -> None:
    server, other = stand_in(kept), stand_in(kept)
    async with running(other), beside(kept, server) as ingest:
        await ingest.consent()
        server.authority = other
        await ingest.consent()
        server.authority = None
        await ingest.consent()
    assert (len(server.registered), len(other.registered)) == (1, 1)
    assert [query["client_id"] for query in server.authorized] == [f"client-{server.port}-1"] * 2
    assert [query["client_id"] for query in other.authorized] == [f"client-{other.port}-1"]


@pytest.mark.parametrize("answer", [200, 503, None])
async def test_a_grant_that_another_replaces_is_given_back_where_the_server_takes_it(
    kept: Kept, answer: int | None
) -> None:
    server = stand_in(kept)
    server.revokes = answer
    async with beside(kept, server) as ingest:
        await ingest.consent()
        first = await ingest.consents.keeper_of(kept.workspace).load()
        assert first is not None
        await ingest.consent()
        await ingest.reader().records(kept.workspace, "bill", page=1, since=None)
    client = first.registration["client_id"]
    given_back = [] if answer is None else [{"client_id": client, "token": first.refresh_token}]
    assert server.revoked == given_back


async def test_a_grant_is_given_back_to_nobody_but_whom_it_came_from(kept: Kept) -> None:
    server, other = stand_in(kept), stand_in(kept)
    server.revokes = other.revokes = 200
    async with running(other), beside(kept, server) as ingest:
        await ingest.consent()
        server.authority = other
        await ingest.consent()
    assert server.revoked == other.revoked == []


async def test_a_server_that_registers_nobody_is_not_asked_to(kept: Kept) -> None:
    # The SDK posts to <server>/register all the same (facts of mcp 2.3: OAuthRegistrationError 404).
    server = stand_in(kept)
    server.registers = False
    async with beside(kept, server) as ingest:
        with pytest.raises(Rejected) as refusal:
            await ingest.consent()
    assert "WELL_XERO_MCP_CLIENT_ID" in refusal.value.sentence
    assert (server.registered, server.authorized) == ([], [])


async def test_few_issuers_are_remembered_and_what_they_gave_is_sealed(kept: Kept) -> None:
    server = stand_in(kept)
    async with beside(kept, server) as ingest:
        await ingest.consent()
        async with kept.database.transaction(INSTALLATION) as tx:
            sealed = await kept.store.mcp_clients.get(tx, server.url)
            assert sealed is not None
            assert b"client-" not in sealed
            for number in range(ISSUERS_MAX):
                later = kept.clock.now().replace(year=NOW.year + 1, second=number)
                await kept.store.mcp_clients.put(tx, f"https://{number}", b"-", now=later, limit=ISSUERS_MAX)
            assert await kept.store.mcp_clients.get(tx, server.url) is None
            assert await kept.store.mcp_clients.get(tx, "https://0") == b"-"


class Unmoved(ManualClock):
    """A clock that waiting does not move: however long the others look, the turn does not run out."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self.waiting: set[asyncio.Task[Any] | None] = set()

    async def sleep(self, seconds: float) -> None:
        del seconds
        self.waiting.add(asyncio.current_task())
        await asyncio.sleep(0)


async def test_processes_refresh_one_grant_once(kept: Kept) -> None:
    server = stand_in(kept)
    async with beside(kept, server) as ingest:
        await ingest.consent()
        kept.clock.advance(LIFETIME_SECONDS)
        server.answering.clear()
        clocks = [Unmoved(kept.clock.now() - timedelta(seconds=9 * behind)) for behind in range(4)]  # machines apart
        ingest.readers = [XeroOverMcp(server.mcp_url, ingest.consents.keeper_of, clock) for clock in clocks]
        calls = [
            asyncio.create_task(reader.records(kept.workspace, "bill", page=1, since=None)) for reader in ingest.readers
        ]

        async def one_asks_and_three_wait() -> bool:
            return server.asked["token refresh_token"] == 1 and sum(len(clock.waiting) for clock in clocks) == 3

        try:
            await until(one_asks_and_three_wait)
        finally:
            server.answering.set()
            pages = await asyncio.gather(*calls)
        assert [page.page_count for page in pages] == [0] * 4
        assert server.asked["token refresh_token"] == 1


async def test_a_process_that_died_while_refreshing_leaves_its_turn_to_the_next(kept: Kept) -> None:
    server = stand_in(kept)
    async with beside(kept, server) as ingest:
        await ingest.consent()
        kept.clock.advance(LIFETIME_SECONDS)
        now = kept.clock.now()
        keeper = ingest.consents.keeper_of(kept.workspace)
        assert await keeper.take_turn(now=now, until=now + TURN)
        assert not await keeper.take_turn(now=now, until=now + TURN)
        kept.clock.advance(TURN.total_seconds())
        await ingest.reader().records(kept.workspace, "bill", page=1, since=None)
        assert await keeper.take_turn(now=kept.clock.now(), until=kept.clock.now() + TURN)


async def test_a_consent_given_while_a_refresh_is_under_way_stands(kept: Kept) -> None:
    server = stand_in(kept)
    async with beside(kept, server) as ingest:
        await ingest.consent()
        keeper = ingest.consents.keeper_of(kept.workspace)
        kept.clock.advance(LIFETIME_SECONDS)
        server.answering.clear()
        read = asyncio.create_task(ingest.reader().records(kept.workspace, "bill", page=1, since=None))

        async def asks() -> bool:
            return server.asked["token refresh_token"] == 1

        await until(asks)
        await ingest.consent()
        given = await keeper.load()
        server.answering.set()
        await read
        assert await keeper.load() == given


async def test_a_process_that_was_held_up_until_its_turn_was_over_presents_no_token(kept: Kept) -> None:
    class HeldUp(GrantKeeper):
        async def take_turn(self, *, now: datetime, until: datetime) -> bool:
            taken = await super().take_turn(now=now, until=until)
            kept.clock.advance(TURN.total_seconds())
            return taken

    server = stand_in(kept)
    async with beside(kept, server) as ingest:
        await ingest.consent()
        kept.clock.advance(LIFETIME_SECONDS)
        keeper = HeldUp(**vars(ingest.consents.keeper_of(kept.workspace)))
        ingest.readers.append(XeroOverMcp(server.mcp_url, lambda _: keeper, kept.clock))
        with pytest.raises(Transient, match="held up"):
            await ingest.readers[-1].records(kept.workspace, "bill", page=1, since=None)
        assert server.asked["token refresh_token"] == 0
        await ingest.reader().records(kept.workspace, "bill", page=1, since=None)
        assert server.asked["token refresh_token"] == 1


async def test_our_document_says_who_we_are_only_where_it_can_be_read(kept: Kept) -> None:
    server = stand_in(kept)
    for document in (DOCUMENT, None):
        async with beside(kept, server, document=document) as ingest:
            app = application(ingest.consents, Departures(ingest.consents.connect), ingest)
            async with TestClient(TestServer(app)) as reader:
                answer = await reader.get(CLIENT_DOCUMENT_PATH)
                assert answer.status == (200 if document else 404)
                if document:
                    words = await answer.json()
                    assert words["client_id"] == DOCUMENT
                    assert words["redirect_uris"] == [ingest.callback_url]
                    assert (words["token_endpoint_auth_method"], words["scope"]) == ("none", "xero.read")
