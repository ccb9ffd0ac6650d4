"""Whether a consumer lives: aiokafka has no public signal of it. Source: aiokafka issue 1154."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from libs.runtime.clock import Clock

DEAD_SECONDS: Final = 120.0
"""Seconds without a turn, or without one that came to something while there is something to read, after which a member
is dead: longer than the longest pause between tries and the longest statement together."""


class Pulse:
    """When a consumer last turned, and when a turn last came to something."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turned_at = self._alive_at = clock.now()

    def turned(self) -> None:
        """It looks for messages."""
        self._turned_at = self._clock.now()

    def got_somewhere(self) -> None:
        """It has messages in hand, or there are none, or it is not its fault."""
        self._alive_at = self._clock.now()

    def is_dead(self, *, has_partitions: bool, lag: int) -> bool:
        """Whether it has partitions and does not turn, or has something to read and reads nothing."""
        now, patience = self._clock.now(), timedelta(seconds=DEAD_SECONDS)
        stands_still = has_partitions and now - self._turned_at > patience
        return stands_still or (lag > 0 and now - self._alive_at > patience)
