"""Xero's budget as we keep it. Source: developer.xero.com, OAuth 2.0 limits."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.errors import Transient
from libs.runtime.clock import ManualClock
from services.xero_mcp.domain.budget import Budget, Limits
from services.xero_mcp.flow.pacing import IN_LINE, Pacing

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@given(pauses=st.lists(st.floats(min_value=0, max_value=30), max_size=200), per_minute=st.integers(1, 20))
def test_no_minute_holds_more_calls_than_xero_allows(pauses: list[float], per_minute: int) -> None:
    budget, now, left = Budget(Limits(per_minute=per_minute)), NOON, []
    for pause in pauses:
        now += timedelta(seconds=pause)
        now += timedelta(seconds=budget.wait_seconds(now))
        assert budget.wait_seconds(now) <= 0
        budget.leave(now)
        left.append(now)
    for first, beyond in zip(left, left[per_minute:], strict=False):
        assert beyond - first > timedelta(seconds=60)
    assert all(earlier <= later for earlier, later in pairwise(left))


def test_a_used_up_day_opens_at_midnight() -> None:
    budget = Budget(Limits(per_minute=100, per_day=2))
    budget.leave(NOON)
    budget.leave(NOON)
    assert budget.wait_seconds(NOON) == 12 * 3600
    assert budget.wait_seconds(NOON + timedelta(hours=12)) == 0


def test_the_header_of_the_day_corrects_what_we_counted() -> None:
    budget = Budget(Limits())
    budget.learn(NOON, day_left=0)
    assert budget.wait_seconds(NOON) == 12 * 3600


def test_a_refusal_of_xero_closes_the_line_for_as_long_as_it_says() -> None:
    budget = Budget(Limits())
    budget.close(NOON, seconds=17)
    budget.close(NOON, seconds=5)
    assert budget.wait_seconds(NOON) == 17


def test_a_clock_that_was_a_year_ahead_closes_no_line_once_it_is_set_back() -> None:
    budget, ahead = Budget(Limits(per_minute=1)), NOON + timedelta(days=365)
    budget.leave(ahead)
    budget.close(ahead, seconds=600)
    assert budget.wait_seconds(ahead) == 600
    assert budget.wait_seconds(NOON) == 0
    budget.close(NOON, seconds=5)
    assert budget.wait_seconds(NOON) == 5


async def test_a_call_waits_for_its_turn_up_to_the_bound_and_is_then_told_when_to_come_back() -> None:
    clock = ManualClock(NOON)
    pacing = Pacing(Limits(per_minute=1), clock, wait_seconds=70)
    async with pacing.turn("tenant"):
        pass
    async with pacing.turn("tenant"):
        assert clock.now() == NOON + timedelta(seconds=61)
    pacing.close("tenant", seconds=600)
    with pytest.raises(Transient) as told:
        async with pacing.turn("tenant"):
            raise AssertionError
    assert told.value.retry_after_seconds == 600


async def test_a_line_is_no_longer_than_could_have_its_turn_and_is_free_again_when_calls_end() -> None:
    pacing, clock = Pacing(Limits(at_once=1), ManualClock(NOON), wait_seconds=70), ManualClock(NOON)

    async def call() -> None:
        async with pacing.turn("tenant"):
            await over.wait()

    for _ in range(2):
        over = asyncio.Event()
        calls = [asyncio.create_task(call()) for _ in range(IN_LINE)]
        await clock.sleep(0)
        with pytest.raises(Transient, match="Too many calls wait") as told:
            await call()
        assert told.value.retry_after_seconds == 70
        async with pacing.turn("another"):
            over.set()
        calls[-1].cancel()
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert [each for each in ended if each is not None] == [ended[-1]]


async def test_organisations_do_not_wait_for_each_other() -> None:
    clock = ManualClock(NOON)
    pacing = Pacing(Limits(per_minute=1), clock, wait_seconds=70)
    async with pacing.turn("one"), pacing.turn("another"):
        assert clock.now() == NOON
