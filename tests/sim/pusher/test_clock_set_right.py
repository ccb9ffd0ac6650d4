"""A pusher's clock that was ahead is set right: nothing waits until it has caught up, and nothing is posted twice."""

from __future__ import annotations

import asyncio
from collections import Counter, deque

import pytest

from libs.contracts.identity import record_of
from libs.runtime.clock import ManualClock
from services.pusher.adapters.memory_qonto import Mishap
from tests.sim.pusher.machines import World
from tests.unit.pusher.stories import NOW

BILL = record_of("xero", "bill", "1")

MINUTE, HOUR, YEAR = 60, 3600, 365 * 86_400


@pytest.mark.parametrize("ahead_seconds", [12 * MINUTE, 40 * MINUTE, HOUR, YEAR])
@pytest.mark.parametrize("mishap", [Mishap.NONE, Mishap.LOST_AFTER, Mishap.LATE, Mishap.BUSY])
def test_what_was_sent_by_a_clock_that_was_ahead_is_at_qonto_once(mishap: Mishap, ahead_seconds: int) -> None:
    async def live() -> None:
        world = World()
        world.qonto.clock = qonto_clock = ManualClock(NOW)
        world.qonto.mishaps = deque([mishap])
        world.clock.advance(ahead_seconds)
        await world.hear(BILL, 1)
        await world.round()
        world.clock.advance(-ahead_seconds)
        for _ in range(150):
            await world.round()
            for clock in (world.clock, qonto_clock):
                clock.advance(MINUTE)
        assert await world.in_qonto() == Counter({BILL: 1})
        assert [posting.invoice_id is not None for posting in await world.postings()] == [True]

    asyncio.run(live())
