"""Rounds over workspaces: who is visited, who rests and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from libs.contracts.errors import ConsentLost, Malformed, Transient
from libs.runtime.clock import ManualClock
from libs.runtime.rounds import LONGEST_ASKED_SECONDS, LONGEST_PAUSE_SECONDS, Rounds, any_of_them
from tests.support.until import DEADLINE_SECONDS

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
ONE, OTHER = UUID(int=1), UUID(int=2)


class Town:
    """Two workspaces, of which one may be in trouble."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.known = [ONE, OTHER]
        self.trouble: Exception | None = None
        self.visits: list[UUID] = []
        self.one_goes_on = asyncio.Event()
        self.one_goes_on.set()
        self.rounds = Rounds("tests.visit", self.all_of_them, any_of_them, self.clock, slow_seconds=0.01)

    async def all_of_them(self) -> Sequence[UUID]:
        return self.known

    async def visit(self, workspace: UUID) -> int:
        self.visits.append(workspace)
        if workspace == ONE:
            await self.one_goes_on.wait()
            if self.trouble is not None:
                raise self.trouble
        return 1

    async def go(self, *, after_seconds: float = 0) -> int:
        """A round; the visits of the rounds before are forgotten."""
        self.visits.clear()
        self.clock.advance(after_seconds)
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await self.rounds.go(self.visit)


async def test_only_where_something_is_due_is_anybody_visited() -> None:
    town = Town()

    async def other_alone(workspaces: Sequence[UUID], _now: datetime) -> Sequence[UUID]:
        return [each for each in workspaces if each == OTHER]

    town.rounds = Rounds("tests.visit", town.all_of_them, other_alone, town.clock)
    assert await town.go() == 1
    assert town.visits == [OTHER]


@pytest.mark.parametrize("error", [Transient("Away."), Malformed("Unreadable."), ConsentLost("Reconnect.")])
async def test_one_in_trouble_rests_with_its_sentence_and_the_others_are_visited(error: Exception) -> None:
    town = Town()
    town.trouble = error
    assert await town.go() == 1
    assert town.rounds.resting == {ONE: str(error)}
    await town.go()
    assert town.visits == [OTHER]
    town.trouble = None
    assert await town.go(after_seconds=0.5) == 2
    assert town.rounds.resting == {}


async def test_rests_grow_to_a_minute() -> None:
    town = Town()
    town.trouble = Transient("Away.")
    for pause in (0.5, 1, 2, 4, 8, 16, 32, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS):
        await town.go()
        assert ONE in town.visits
        await town.go(after_seconds=pause - 0.1)
        assert ONE not in town.visits
        town.clock.advance(0.1)


async def test_the_other_side_may_ask_for_more_within_limits() -> None:
    town = Town()
    town.trouble = Transient("Busy.", retry_after_seconds=86_400)
    await town.go()
    await town.go(after_seconds=LONGEST_ASKED_SECONDS - 1)
    assert ONE not in town.visits
    await town.go(after_seconds=1)
    assert ONE in town.visits


async def test_a_clock_that_has_gone_back_lets_nobody_rest_until_it_has_caught_up() -> None:
    town = Town()
    town.trouble = Transient("Away.")
    await town.go()
    await town.go(after_seconds=-timedelta(days=365).total_seconds())
    assert ONE in town.visits


async def test_whoever_is_gone_is_forgotten() -> None:
    town = Town()
    town.trouble = Transient("Away.")
    await town.go()
    town.known = [OTHER]
    await town.go()
    assert town.rounds.resting == {}


async def test_a_mistake_of_ours_is_not_waited_out() -> None:
    town = Town()
    town.trouble = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await town.go()


async def test_one_that_is_slow_goes_on_beside_the_rounds_of_the_others() -> None:
    town = Town()
    town.one_goes_on.clear()
    assert await town.go() == 1
    assert town.visits == [ONE, OTHER]
    assert await town.go() == 1
    assert town.visits == [OTHER]  # and nobody is visited twice at a time
    town.one_goes_on.set()
    await town.rounds.finish()
    assert await town.go() == 3  # what it did meanwhile is told, too
    assert town.visits == [ONE, OTHER]


async def test_trouble_at_the_end_of_a_slow_visit_is_rested_from_or_raised_like_any() -> None:
    town = Town()
    town.one_goes_on.clear()
    await town.go()
    town.trouble = Transient("Away.")
    town.one_goes_on.set()
    await town.rounds.finish()
    assert town.rounds.resting == {ONE: "Away."}
    town.one_goes_on.clear()
    await town.go(after_seconds=0.5)
    town.trouble = ZeroDivisionError()
    town.one_goes_on.set()
    with pytest.raises(ZeroDivisionError):
        await town.rounds.finish()
    with pytest.raises(ZeroDivisionError):
        await town.go()


async def test_what_is_dropped_was_cancelled() -> None:
    town, ended = Town(), list[UUID]()

    async def visit(workspace: UUID) -> int:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(workspace)
        return 1

    async with asyncio.timeout(DEADLINE_SECONDS):
        await town.rounds.go(visit)
        assert ended == []
        await town.rounds.drop()
    assert ended == [ONE, OTHER]
