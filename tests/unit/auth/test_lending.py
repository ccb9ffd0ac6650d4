"""What several borrowers and processes do to one connection, before a provider that can be made to wait."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from libs.contracts.errors import ConsentLost, Rejected, Transient
from libs.contracts.identity import Provider
from libs.crypto.lent import LentToken
from libs.database.memory import MemoryDatabase
from libs.eventlog.memory import MemoryEventLog
from services.auth.adapters.memory import MemoryAuthStore
from services.auth.domain.connection import LEASE, Connection, TokenPair
from services.auth.flow.lend import LENT_FROM_MEMORY, REMEMBERED_CONNECTIONS
from services.auth.flow.refresh import ASK_AGAIN_SECONDS
from services.auth.flow.unauthorized import AT_MOST, LOOK_AGAIN, WINDOW
from services.auth.main import AuthService
from tests.sim.auth.provider import KINDS, Mood, SkewedClock, StrictProvider, TrueTime
from tests.support.auth import build_auth, consented
from tests.unit.auth.test_connection import NOW

BORROWER: dict[Provider, str] = {"xero": "xero_mcp", "qonto": "pusher"}
OLD = timedelta(minutes=59)


@dataclass
class Place:
    """One provider, and the rows of all processes of auth."""

    name: Provider = "qonto"
    workspace: UUID = field(default_factory=uuid4)
    time: TrueTime = field(default_factory=lambda: TrueTime(NOW))

    def __post_init__(self) -> None:
        self.clock = SkewedClock(self.time)
        self.provider = StrictProvider(KINDS[self.name], self.clock)
        self.database, self.store = MemoryDatabase(), MemoryAuthStore()

    def process(self) -> AuthService:
        """A process that has just begun."""
        return build_auth(
            "http://localhost",
            clock=self.clock,
            clients={self.name: self.provider},
            log=MemoryEventLog("auth"),
            database=self.database,
            store=self.store,
        )

    async def connected(self, auth: AuthService, workspace: UUID | None = None) -> None:
        """A person connects, or connects again."""
        await consented(auth, workspace or self.workspace, self.name)

    async def lent(self, auth: AuthService, workspace: UUID | None = None) -> LentToken:
        """A token as a borrower gets one."""
        return await auth.lend(BORROWER[self.name], workspace or self.workspace, self.name)

    async def hangs(self, auth: AuthService, mood: Mood = "held_before") -> asyncio.Task[LentToken]:
        """A borrower for whom the provider is asked, and does not answer yet; `held` has its event last."""
        self.provider.moods.append(mood)
        self.provider.somebody_waits.clear()
        task = asyncio.create_task(self.lent(auth))
        await self.provider.somebody_waits.wait()
        return task

    async def row(self) -> Connection:
        """The connection as it is kept."""
        async with self.database.transaction(self.workspace) as tx:
            found = await self.store.connection(tx, self.name)
        assert found is not None
        return found


@pytest.fixture
def place() -> Place:
    """A place of this test's own."""
    return Place()


async def test_a_token_is_lent_from_memory_for_five_seconds_and_not_after_a_change_made_here(place: Place) -> None:
    here, elsewhere = place.process(), place.process()
    await place.connected(here)
    first = await place.lent(here)
    await place.connected(here)
    second = await place.lent(here)
    assert second.secret != first.secret
    await elsewhere.disconnecting.disconnect(place.workspace, place.name)
    assert (await place.lent(here)).secret == second.secret
    place.time.now += LENT_FROM_MEMORY
    with pytest.raises(ConsentLost):
        await place.lent(here)
    await place.connected(here)
    await place.lent(here)
    await here.disconnecting.disconnect(place.workspace, place.name)
    with pytest.raises(ConsentLost):
        await place.lent(here)


async def test_only_so_many_tokens_stay_in_memory(place: Place) -> None:
    auth = place.process()
    for _ in range(REMEMBERED_CONNECTIONS + 1):
        workspace = uuid4()
        await place.connected(auth, workspace)
        await place.lent(auth, workspace)
    assert len(auth.lending._remembered) == REMEMBERED_CONNECTIONS


async def test_a_borrower_that_gives_up_takes_no_other_along_and_an_end_waits_for_the_answer(place: Place) -> None:
    auth = place.process()
    await place.connected(auth)
    place.time.now += OLD
    impatient = await place.hangs(auth)
    patient = asyncio.create_task(place.lent(auth))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.wait([impatient])
    closing = asyncio.create_task(auth.aclose())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not closing.done()
    place.provider.held[-1].set()
    await closing
    assert (await place.row()).access_token == (await patient).secret


async def test_an_answer_that_outlived_its_lease_is_dropped_for_the_one_that_came_meanwhile(place: Place) -> None:
    slow, quick = place.process(), place.process()
    await place.connected(slow)
    place.time.now += OLD
    late = await place.hangs(slow)
    place.time.now += LEASE
    newest = await place.lent(quick)
    before = await place.row()
    place.provider.held[-1].set()
    assert (await late).secret == newest.secret
    assert await place.row() == before


async def test_a_failure_that_outlived_its_lease_leaves_the_next_ones_alone(place: Place) -> None:
    slow, next_one = place.process(), place.process()
    await place.connected(slow)
    place.time.now += OLD
    late = await place.hangs(slow, "held_down")
    place.time.now += LEASE
    waiting = await place.hangs(next_one)
    leased = await place.row()
    place.provider.held[0].set()
    with pytest.raises(Transient):
        await late
    assert (await place.row()).refreshing_by == leased.refreshing_by is not None
    place.provider.held[1].set()
    await waiting


async def test_after_a_failure_the_next_borrower_need_not_wait_for_its_lease(place: Place) -> None:
    auth = place.process()
    await place.connected(auth)
    place.time.now += OLD
    for mood in ("down", "answer_lost", "our_secret_is_wrong"):
        place.provider.moods.append(mood)
        with pytest.raises(Transient):
            await place.lent(auth)
        assert (await place.row()).refreshing_by is None
    before = place.time.now
    await place.lent(auth)
    assert place.time.now == before


async def test_a_doubt_about_a_token_that_is_no_longer_the_newest_changes_nothing(place: Place) -> None:
    auth = place.process()
    await place.connected(auth)
    seen = await place.row()
    await place.connected(auth)
    newest = await place.row()
    assert newest.generation > seen.generation
    await auth.lending._refreshing.doubt(place.workspace, seen)
    assert await place.row() == newest
    await auth.lending._refreshing.doubt(place.workspace, newest)
    resting = await place.row()
    assert resting.state == "refused"
    place.time.now += timedelta(minutes=1)
    await auth.lending._refreshing.doubt(place.workspace, newest)
    assert await place.row() == resting


async def test_a_connection_that_rests_for_long_is_asked_about_every_minute(place: Place) -> None:
    auth = place.process()
    await place.connected(auth)
    for wait in (timedelta(), timedelta(hours=12)):
        place.time.now += wait
        await auth.lending._refreshing.doubt(place.workspace, replace(await place.row(), state="active"))
        seen = await place.row()
        await auth.lending._refreshing.doubt(place.workspace, seen)
    with pytest.raises(Transient) as rests:
        await place.lent(auth)
    assert (await place.row()).refused_until - place.clock.now() > timedelta(seconds=ASK_AGAIN_SECONDS)
    assert rests.value.retry_after_seconds == ASK_AGAIN_SECONDS


async def test_a_provider_that_is_left_alone_is_not_asked_to_end_anything_either(place: Place) -> None:
    auth = place.process()
    await place.connected(auth)
    place.time.now += OLD
    for _ in range(AT_MOST["qonto"]):
        await auth.refused(place.workspace, "qonto", "a token of before")
    before = dict(place.provider.tokens)
    with pytest.raises(Transient, match="refused 180 calls"):
        await auth.disconnecting.disconnect(place.workspace, "qonto")
    assert place.provider.tokens == before
    assert (await place.row()).state == "active"


async def test_what_two_processes_were_told_is_counted_together(place: Place) -> None:
    both = place.process(), place.process()
    await place.connected(both[0])
    for told in range(AT_MOST["qonto"]):
        await place.lent(both[told % 2])
        await both[told % 2].refused(place.workspace, "qonto", "a token of before")
    place.time.now += LOOK_AGAIN
    for auth in both:
        with pytest.raises(Transient, match="refused 180 calls"):
            await place.lent(auth)
    place.time.now += WINDOW
    for auth in both:
        await place.lent(auth)


async def test_a_consent_without_lasting_access_connects_nothing(place: Place) -> None:
    class OneHourOnly(StrictProvider):
        async def exchange(self, *, code: str, verifier: str, scopes: Sequence[str]) -> TokenPair:
            return replace(await super().exchange(code=code, verifier=verifier, scopes=scopes), refresh=None)

    place.provider = OneHourOnly(KINDS["qonto"], place.clock)
    auth = place.process()
    with pytest.raises(Rejected) as refused:
        await place.connected(auth)
    assert refused.value.code == "no_refresh_token"
    assert await auth.connection_state(place.workspace, "qonto") == "none"


async def test_a_token_that_is_refused_at_the_end_is_renewed_once_and_ends_the_consent(
    place: Place,
) -> None:
    auth = place.process()
    await place.connected(auth)
    row = await place.row()
    place.provider.access_tokens[row.access_token or ""] = place.time.now
    await auth.disconnecting.disconnect(place.workspace, place.name)
    assert (await place.row()).state == "revoked"
    assert not place.provider.honours(row.refresh_token or "")


async def test_a_connection_that_was_refused_for_a_day_is_forgotten_though_nothing_can_be_ended(place: Place) -> None:
    auth = place.process()
    await place.connected(auth)
    refreshing = auth.lending._refreshing
    await refreshing.doubt(place.workspace, await place.row())
    place.time.now += timedelta(days=1)
    await refreshing.doubt(place.workspace, await place.row())
    lost = await place.row()
    assert (lost.state, lost.refresh_token is not None) == ("lost", True)
    place.provider.revoke_everything()
    await auth.disconnecting.disconnect(place.workspace, place.name)
    assert (await place.row()).state == "revoked"
