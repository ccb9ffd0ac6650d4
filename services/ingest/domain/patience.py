"""How long a thing waits that could not be done because the other side could not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

FIRST_PAUSE_SECONDS: Final = 2.0
"""Seconds after the first failure: a hiccup of the network is over by then."""

LONGEST_PAUSE_SECONDS: Final = 900.0
"""Seconds. A provider that is down is asked four times an hour, for each thing that waits, and for as long as it takes:
giving up would say that a bill has no document, which nobody knows."""


def pause_seconds(failures: int, *, asked_seconds: float | None = None) -> float:
    """Seconds to wait after so many failures in a row: 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900 ...

    Args:
        failures: Failures in a row, from 1.
        asked_seconds: What the other side asked for; it is honoured between `FIRST_PAUSE_SECONDS`
            and `LONGEST_PAUSE_SECONDS`.
    """
    own = FIRST_PAUSE_SECONDS * 2 ** min(failures - 1, 9)
    wanted = own if asked_seconds is None else max(asked_seconds, FIRST_PAUSE_SECONDS)
    return min(wanted, LONGEST_PAUSE_SECONDS)


def latest_due(now: datetime, until: datetime) -> datetime:
    """The instant beyond which no job waits: who takes one has it `until` then, or puts it off for a pause."""
    return max(until, now + timedelta(seconds=LONGEST_PAUSE_SECONDS))


def longest_wait_seconds(poll_seconds: float) -> float:
    """How long a pull waits at most: until its next window, or after a failure."""
    return max(poll_seconds, LONGEST_PAUSE_SECONDS)


def is_due(due_at: datetime, now: datetime, *, longest_seconds: float) -> bool:
    """Whether a thing that waits until an instant is due.

    One that would wait longer than anything does was put off by a clock that has gone back since, and is due.
    """
    return not now < due_at <= now + timedelta(seconds=longest_seconds)
