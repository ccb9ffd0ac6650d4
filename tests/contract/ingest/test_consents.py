"""Browsers that leave to consent at the MCP server: whose they are, who meets them, and what they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import httpx
import pytest
from aiohttp.test_utils import TestClient, TestServer

from libs.auth_client.wire import SESSION_COOKIE
from libs.contracts.errors import Rejected
from services.ingest.adapters.mcp_consent import CONNECTED
from services.ingest.adapters.mcp_returns import AWAY_MAX, CONSENT_SECONDS, ENDED_SECONDS, Brought, Returns
from services.ingest.adapters.memory_providers import MemoryProvider
from services.ingest.api import CALLBACK_PATH, CONNECT_PATH, application
from services.ingest.flow.connect import UNDER_WAY_MAX, Departures
from tests.contract.ingest.conftest import Kept
from tests.contract.ingest.mcp_stage import Ingest, staged
from tests.contract.ingest.mcp_stand_in import McpStandIn, running
from tests.support.web import web_client

pytestmark = pytest.mark.parametrize("backend", ["memory", "postgres"], indirect=True)


class Signed:
    """Sessions that open the workspace they name."""

    async def visitor(self, session: str) -> UUID:
        try:
            return UUID(session)
        except ValueError:
            raise Rejected("You are not signed in.", code="no_session") from None


@dataclass(frozen=True)
class Replica:
    """A process of ingest, as a browser meets it."""

    pages: TestClient

    async def get(self, path: str, session: str) -> tuple[int, str, str]:
        """What a browser with a session gets: a status, the page, and where it is sent."""
        self.pages.session.cookie_jar.clear()
        answer = await self.pages.get(path, cookies={SESSION_COOKIE: session}, allow_redirects=False)
        return answer.status, await answer.text(), answer.headers.get("Location", "")


@asynccontextmanager
async def two_replicas(kept: Kept) -> AsyncIterator[tuple[Ingest, McpStandIn, Replica, Replica]]:
    """Two processes of ingest over one database, before one MCP server."""
    server = McpStandIn(MemoryProvider(), kept.workspace)
    async with running(server), staged(kept, server) as ingest:
        departures = [Departures(replace(ingest.consents).connect) for _ in range(2)]
        apps = [application(replace(ingest.consents), each, Signed()) for each in departures]
        async with TestClient(TestServer(apps[0])) as one, TestClient(TestServer(apps[1])) as other:
            yield ingest, server, Replica(one), Replica(other)
            for each in departures:
                await each.close()


async def left_from(replica: Replica, workspace: UUID) -> str:
    """A person leaves, consents, and is on the way home with this path."""
    status, _, address = await replica.get(CONNECT_PATH, str(workspace))
    assert status == httpx.codes.SEE_OTHER
    async with web_client() as person:
        home = httpx.URL((await person.get(address)).headers["Location"])
    return f"{CALLBACK_PATH}?{home.query.decode()}"


async def test_a_browser_is_met_by_whichever_process_it_comes_back_to_and_hears_the_end(kept: Kept) -> None:
    async with two_replicas(kept) as (ingest, _, one, other):
        home = await left_from(one, kept.workspace)
        status, page, _ = await other.get(home, str(kept.workspace))
        assert (status, CONNECTED in page) == (httpx.codes.OK, True)
        assert await ingest.consents.keeper_of(kept.workspace).load() is not None
        assert (await other.get(home, str(kept.workspace)))[0] == httpx.codes.BAD_REQUEST


async def test_a_consent_comes_home_with_the_browser_that_left_for_it_and_with_no_other(kept: Kept) -> None:
    # Otherwise a link sent to somebody else would bring that person's Xero into the sender's workspace.
    async with two_replicas(kept) as (_, server, one, other):
        home = await left_from(one, kept.workspace)
        for replica in (one, other):
            for stranger in (str(uuid4()), ""):
                assert (await replica.get(home, stranger))[0] in {400, 403}
        assert server.asked["token authorization_code"] == 0
        assert (await one.get(home, str(kept.workspace)))[0] == httpx.codes.OK


async def test_a_person_hears_why_xero_is_not_connected(kept: Kept) -> None:
    async with two_replicas(kept) as (ingest, server, one, _):
        home = httpx.URL(await left_from(one, kept.workspace))
        mixed_up = home.copy_set_param("iss", "https://evil.example")  # RFC 9207: another server answers
        status, page, _ = await one.get(str(mixed_up), str(kept.workspace))
        assert (status, "did not grant access" in page) == (httpx.codes.BAD_REQUEST, True)
        assert server.asked["token authorization_code"] == 0
        home = httpx.URL(await left_from(one, kept.workspace))
        refused = home.copy_remove_param("code").copy_set_param("error", "access_denied")
        status, page, _ = await one.get(str(refused), str(kept.workspace))
        assert (status, "the access was refused there" in page) == (httpx.codes.BAD_REQUEST, True)
        assert await ingest.consents.keeper_of(kept.workspace).load() is None


def returns_of(kept: Kept) -> Returns:
    """Browsers by a clock that jumps when somebody waits."""
    return Returns(kept.database, kept.store, kept.sealer, kept.clock)


async def test_whoever_comes_back_to_a_process_that_died_is_told_to_start_again(kept: Kept) -> None:
    returns = returns_of(kept)
    await returns.expect(kept.workspace, "a state")
    before = kept.clock.now()
    assert await returns.come_back(kept.workspace, "a state", Brought(code="c", iss=None))
    assert await returns.ending(kept.workspace, "a state") is None
    assert (kept.clock.now() - before).total_seconds() >= ENDED_SECONDS


async def test_a_browser_that_does_not_come_back_is_waited_for_ten_minutes(kept: Kept) -> None:
    returns, shown = returns_of(kept), asyncio.get_running_loop().create_future()
    shown.set_result(None)
    await returns.expect(kept.workspace, "a state")
    before = kept.clock.now()
    with pytest.raises(Rejected) as expired:
        await returns.brought(kept.workspace, "a state", shown)
    assert expired.value.code == "consent_expired"
    assert (kept.clock.now() - before).total_seconds() >= CONSENT_SECONDS


async def test_an_address_that_cannot_be_shown_is_not_waited_for(kept: Kept) -> None:
    returns, shown = returns_of(kept), asyncio.get_running_loop().create_future()
    shown.set_exception(Rejected("No browser opens.", code="no_browser"))
    with pytest.raises(Rejected, match="No browser opens"):
        await returns.brought(kept.workspace, "a state", shown)


async def test_only_so_many_browsers_of_a_workspace_are_away_and_old_ones_make_room(kept: Kept) -> None:
    returns = returns_of(kept)
    for number in range(AWAY_MAX):
        await returns.expect(kept.workspace, f"state {number}")
    with pytest.raises(Rejected) as refused:
        await returns.expect(kept.workspace, "one more")
    assert refused.value.code == "too_many_consents"
    await returns.expect(uuid4(), "another workspace's")
    kept.clock.advance(CONSENT_SECONDS)
    await returns.expect(kept.workspace, "one more")


async def test_a_process_waits_for_so_many_browsers_at_once(kept: Kept) -> None:
    async def never_back(_: UUID, leave: Callable[[str], Awaitable[None]]) -> None:
        await leave("https://mcp.example/authorize")
        await asyncio.Event().wait()

    departures = Departures(never_back)
    for _ in range(UNDER_WAY_MAX):
        await departures.begin(kept.workspace)
    with pytest.raises(Rejected) as refused:
        await departures.begin(kept.workspace)
    assert refused.value.code == "too_many_consents"
    await departures.close()
