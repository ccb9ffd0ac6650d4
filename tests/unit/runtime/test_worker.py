"""A worker's patience: pauses that grow, the other side's own wish, and an end for mistakes of our own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from libs.contracts.errors import Malformed, Stale, Transient
from libs.runtime.clock import SystemClock
from libs.runtime.rounds import Rounds, any_of_them
from libs.runtime.worker import LONGEST_PAUSE_SECONDS, Worker
from tests.support.until import DEADLINE_SECONDS

IDLE_SECONDS = 7.0


class Job:
    """Answers each step with what it was told: a count, or an error to raise."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)

    async def step(self) -> int:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def _worker(*answers: int | Exception) -> Worker:
    return Worker("ingest.pull", Job(*answers).step, IDLE_SECONDS)


AWAY = Transient("It is away.")


class SlowVisit:
    """A worker whose rounds visit one workspace, which takes its time."""

    def __init__(self) -> None:
        self.begun, self.goes_on, self.ended = asyncio.Event(), asyncio.Event(), ""
        rounds = Rounds("tests.visit", self.workspaces, any_of_them, SystemClock(), slow_seconds=0)
        self.worker = Worker("tests.visit", lambda: rounds.go(self.visit), IDLE_SECONDS, rounds)

    async def workspaces(self) -> Sequence[UUID]:
        return [UUID(int=1)]

    async def visit(self, _workspace: UUID) -> int:
        self.begun.set()
        try:
            await self.goes_on.wait()
        except asyncio.CancelledError:
            self.ended = "cancelled"
            raise
        self.ended = "well"
        return 1


async def test_pauses_grow_to_a_minute_and_no_further() -> None:
    worker = _worker(*[AWAY] * 2000)
    pauses = [await worker._once() for _ in range(2000)]
    assert pauses[:9] == [0.5, 1, 2, 4, 8, 16, 32, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS]
    assert set(pauses[9:]) == {LONGEST_PAUSE_SECONDS}
    assert worker.failures == 2000


async def test_a_lost_race_waits_like_a_lost_connection() -> None:
    worker = _worker(Stale("Read again."), AWAY)
    assert [await worker._once(), await worker._once()] == [0.5, 1]


@pytest.mark.parametrize(("asked_seconds", "pause_seconds"), [(3.5, 3.5), (3600, LONGEST_PAUSE_SECONDS)])
async def test_the_other_side_may_say_how_long(asked_seconds: float, pause_seconds: float) -> None:
    worker = _worker(Transient("It is busy.", retry_after_seconds=asked_seconds))
    assert await worker._once() == pause_seconds


async def test_there_is_no_pause_while_there_is_work_and_a_fixed_one_when_there_is_none() -> None:
    worker = _worker(3, 0)
    assert [await worker._once(), await worker._once()] == [0, IDLE_SECONDS]


async def test_it_says_why_it_waits_until_it_gets_through() -> None:
    worker = _worker(AWAY, 0, AWAY)
    await worker._once()
    assert (worker.failures, worker.last_sentence) == (1, "It is away.")
    await worker._once()
    assert (worker.failures, worker.last_sentence) == (0, None)
    assert await worker._once() == 0.5


async def test_another_error_ends_it() -> None:
    with pytest.raises(Malformed):
        await _worker(Malformed("Our own mistake.")).run(asyncio.Event())


async def test_it_stops_in_the_middle_of_a_pause() -> None:
    worker, stop = _worker(0), asyncio.Event()
    async with asyncio.timeout(IDLE_SECONDS / 2):
        running = asyncio.create_task(worker.run(stop))
        asyncio.get_running_loop().call_later(0.01, stop.set)
        await running


async def test_told_to_stop_it_finishes_the_visits_that_are_under_way() -> None:
    visit, stop = SlowVisit(), asyncio.Event()
    running = asyncio.create_task(visit.worker.run(stop))
    await visit.begun.wait()
    stop.set()
    visit.goes_on.set()
    await running
    assert visit.ended == "well"


async def test_cancelled_it_cancels_them() -> None:
    visit = SlowVisit()
    running = asyncio.create_task(visit.worker.run(asyncio.Event()))
    await visit.begun.wait()
    running.cancel()
    await asyncio.wait([running], timeout=DEADLINE_SECONDS)
    assert visit.ended == "cancelled"
