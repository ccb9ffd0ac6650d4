"""Whatever dies, stalls or gets lost: Qonto has each bill at most once, and in the end exactly once unless refused."""

from __future__ import annotations

import asyncio
from collections import Counter, deque

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts.events import PostIntended, PostRejected, PostSent, PostSettled, PostWithdrawn
from libs.contracts.identity import record_of
from services.pusher.adapters.memory_qonto import Mishap
from services.pusher.domain.posting import IN_QONTO, LIVE, State
from tests.sim.pusher.machines import World

BILLS = tuple(record_of("xero", "bill", str(number)) for number in range(4))

JUMPS_SECONDS = (0, 1, 10, 130, 1000, 2000, 90_000)
STALLS_SECONDS = (0, 5, 95, 700)

mishaps = st.lists(st.sampled_from(Mishap), max_size=25)
fates = st.lists(st.one_of(st.booleans(), st.sampled_from(STALLS_SECONDS)), max_size=60)
jumps = st.lists(st.sampled_from(JUMPS_SECONDS), min_size=1, max_size=30)
changes = st.lists(st.tuples(st.integers(0, 29), st.sampled_from(BILLS), st.sampled_from(["post", "ineligible"])))


async def _live_through(
    mishaps: list[Mishap], fates: list[bool | int], jumps: list[int], changes: list[tuple[int, str, str]]
) -> World:
    world = World()
    generations = Counter(dict.fromkeys(BILLS, 1))
    for record in BILLS:
        await world.hear(record, 1)
    world.qonto.mishaps = deque(mishaps)
    world.fate.steps = deque(fates)
    for at, jump in enumerate(jumps):
        for when, record, verdict in changes:
            if when == at:
                generations[record] += 1
                await world.hear(record, generations[record], verdict)
        await world.round()
        world.clock.advance(jump)
        twice = [record for record, count in (await world.in_qonto()).items() if count > 1]
        assert not twice
    world.qonto.mishaps.clear()
    world.fate.steps.clear()
    return world


async def _come_to_rest(world: World) -> None:
    for _ in range(200):
        await world.round()
        postings = await world.postings()
        if postings and not any(posting.state in LIVE for posting in postings):
            return
        world.clock.advance(120)
    raise AssertionError(f"never came to rest: {await world.postings()}")


@settings(max_examples=300)
@given(mishaps=mishaps, fates=fates, jumps=jumps)
def test_each_bill_is_in_qonto_exactly_once_unless_it_was_refused(
    mishaps: list[Mishap], fates: list[bool | int], jumps: list[int]
) -> None:
    async def live() -> None:
        world = await _live_through(mishaps, fates, jumps, [])
        await _come_to_rest(world)
        counts = await world.in_qonto()
        for posting in await world.postings():
            assert posting.code != "posted_twice"
            assert counts[posting.record] == (1 if posting.state in IN_QONTO else 0)
            assert posting.state in IN_QONTO or posting.code in {"invalid", "gave_up"}

    asyncio.run(live())


@settings(max_examples=200)
@given(mishaps=mishaps, fates=fates, jumps=jumps, changes=changes)
def test_a_bill_that_changes_its_mind_is_in_qonto_at_most_once(
    mishaps: list[Mishap], fates: list[bool | int], jumps: list[int], changes: list[tuple[int, str, str]]
) -> None:
    async def live() -> None:
        world = await _live_through(mishaps, fates, jumps, changes)
        await _come_to_rest(world)
        counts = await world.in_qonto()
        settled = Counter(posting.record for posting in await world.postings() if posting.state in IN_QONTO)
        assert counts == settled
        assert max(counts.values(), default=0) <= 1

    asyncio.run(live())


@settings(max_examples=100)
@given(mishaps=mishaps, fates=fates, jumps=jumps, changes=changes)
def test_the_story_told_is_the_story_on_record(
    mishaps: list[Mishap], fates: list[bool | int], jumps: list[int], changes: list[tuple[int, str, str]]
) -> None:
    async def live() -> None:
        world = await _live_through(mishaps, fates, jumps, changes)
        await _come_to_rest(world)
        events = await world.told()
        for posting in await world.postings():
            told = [event.payload for event in events if getattr(event.payload, "posting", None) == posting.id]
            assert sum(isinstance(event, PostSent) for event in told) == posting.attempt
            assert sum(isinstance(event, PostSettled) for event in told) == (posting.state in IN_QONTO)
            assert sum(isinstance(event, PostRejected) for event in told) == (posting.state is State.REJECTED)
            assert sum(isinstance(event, PostWithdrawn) for event in told) == (posting.state is State.WITHDRAWN)
            assert not posting.attempt or isinstance(told[0], PostIntended)

    asyncio.run(live())
