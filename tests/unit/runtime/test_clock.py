"""Clocks: one time for everybody, in UTC, and it only moves forward."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from libs.runtime.clock import ManualClock, ShiftedClock, SystemClock, is_within

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_every_clock_tells_utc() -> None:
    assert all(clock.now().tzinfo is UTC for clock in (SystemClock(), ShiftedClock(), ManualClock(START)))


async def test_a_manual_clock_moves_only_when_told_and_when_somebody_sleeps() -> None:
    clock = ManualClock(START)
    assert clock.now() == clock.now() == START
    clock.advance(5)
    await clock.sleep(3600)
    assert clock.now() == START + timedelta(seconds=3605)


def test_a_shifted_clock_runs_ahead_of_the_machine() -> None:
    clock = ShiftedClock()
    clock.advance(3600)
    assert timedelta(minutes=59) < clock.now() - datetime.now(UTC) < timedelta(minutes=61)


@pytest.mark.parametrize(("seconds", "within"), [(0, True), (59, True), (60, False), (-1, False), (-3600, False)])
def test_a_span_runs_from_its_instant_to_its_end_and_not_under_a_clock_set_back(seconds: int, *, within: bool) -> None:
    assert is_within(timedelta(seconds=60), since=START, now=START + timedelta(seconds=seconds)) is within
