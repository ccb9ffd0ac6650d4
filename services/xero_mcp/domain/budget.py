"""Xero's budget of calls for one organisation, kept by us so that Xero never has to refuse. Pure.

Source of all figures: developer.xero.com/documentation/guides/oauth2/limits.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

WINDOW: Final = timedelta(seconds=61)
"""A minute, and a second: ours begins when a call leaves, Xero's when it arrives."""


@dataclass(frozen=True)
class Limits:
    """How much Xero allows one organisation.

    Attributes:
        per_minute: 60.
        at_once: 5.
        per_day: 5,000; 1,000 on the Starter plan.
    """

    per_minute: int = 60
    at_once: int = 5
    per_day: int = 5000


@dataclass
class Budget:
    """What was used of the limits. The headers of each answer correct it: others may use the same organisation.

    Attributes:
        limits: What is allowed.
        leaving: The instants of the last calls, at most as many as a minute allows.
        day: The UTC day that `day_left` speaks of.
        day_left: Calls left on it.
        closed_at: When Xero last refused.
        closed_until: Until when it said not to come. Like a call's leaving it counts for nothing once the clock was set
            back behind it: it would close the line for as long as the clock was ahead.
    """

    limits: Limits
    leaving: deque[datetime] = field(init=False)
    day: datetime | None = None
    day_left: int = 0
    closed_at: datetime | None = None
    closed_until: datetime | None = None

    def __post_init__(self) -> None:
        self.leaving = deque(maxlen=self.limits.per_minute)

    def wait_seconds(self, now: datetime) -> float:
        """How long until a call may leave; 0 when it may now."""
        opens = [now]
        if self.closed_until is not None and self.is_closed(now):
            opens.append(self.closed_until)
        if len(self.leaving) == self.limits.per_minute and self.leaving[0] <= now:
            opens.append(self.leaving[0] + WINDOW)
        if self.left_today(now) <= 0:
            opens.append(_midnight(now) + timedelta(days=1))
        return (max(opens) - now).total_seconds()

    def leave(self, now: datetime) -> None:
        """A call leaves."""
        self.day_left = self.left_today(now) - 1
        self.leaving.append(now)

    def learn(self, now: datetime, *, day_left: int | None) -> None:
        """What an answer's headers said."""
        if day_left is not None:
            self.day, self.day_left = _midnight(now), day_left

    def close(self, now: datetime, *, seconds: float) -> None:
        """Xero refused and said for how long."""
        until = now + timedelta(seconds=seconds)
        before = self.closed_until if self.is_closed(now) else None
        self.closed_at, self.closed_until = now, until if before is None else max(before, until)

    def is_closed(self, now: datetime) -> bool:
        """Whether Xero said not to come now."""
        if self.closed_at is None or self.closed_until is None:
            return False
        return self.closed_at <= now < self.closed_until

    def left_today(self, now: datetime) -> int:
        """Calls left on this UTC day."""
        if self.day != _midnight(now):
            self.day, self.day_left = _midnight(now), self.limits.per_day
        return self.day_left


def _midnight(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
