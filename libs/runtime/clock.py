"""One clock, passed in. Nothing else in Well asks what time it is."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits. Instants are UTC and aware."""

    def now(self) -> datetime:
        """The current instant, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of this clock's time."""
        ...


def is_within(span: timedelta, *, since: datetime, now: datetime) -> bool:
    """Whether less than a span has passed since an instant; not when the clock was set back meanwhile.

    What may be used again for a while is kept with the instant it was got at, and not with the one it ends at: a clock
    that is set back would put that one off.
    """
    return since <= now < since + span


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The current instant, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of real time."""
        await asyncio.sleep(seconds)


class ShiftedClock:
    """The machine's clock plus a shift that only grows, for stand-ins whose time a test moves forward."""

    def __init__(self) -> None:
        self._shift = timedelta()

    def now(self) -> datetime:
        """The machine's instant plus everything advanced so far, in UTC."""
        return datetime.now(UTC) + self._shift

    def advance(self, seconds: float) -> None:
        """Move time forward by `seconds` for everybody who asks this clock."""
        self._shift += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of real time; a shift in between does not shorten it."""
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that stands still until it is told to move, for tests that decide what time it is."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """The instant last set."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move time forward by `seconds`."""
        self._now += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        """Advance by `seconds` at once, and let other tasks run."""
        self.advance(seconds)
        await asyncio.sleep(0)
