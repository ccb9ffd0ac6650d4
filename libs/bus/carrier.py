"""A member of a consumer group at work, whatever carries its events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeAlias

from libs.bus.port import Subscription


class Carrier(Protocol):
    """Brings a group its events until it is told to stop, and tells how that goes."""

    @property
    def subscription(self) -> Subscription:
        """What it reads and what it does."""
        ...

    @property
    def lag(self) -> int:
        """Events behind the newest when it last looked, wanted or not."""
        ...

    @property
    def failures(self) -> int:
        """Failures in a row; 0 when the last turn went well."""
        ...

    @property
    def parked(self) -> int:
        """Events it has parked since it started."""
        ...

    @property
    def last_sentence(self) -> str | None:
        """Why the last failure failed; None when what came after it went well."""
        ...

    @property
    def dead(self) -> str | None:
        """Why only a new start helps; None while it lives."""
        ...

    async def run(self, stop: asyncio.Event) -> None:
        """Deal with events until `stop` is set; the batch under way is finished or dropped first.

        Raises:
            Transient: It failed too often in a row.
            Malformed: The fault is ours, not the events'.
        """
        ...


Transport: TypeAlias = Callable[[tuple[Subscription, ...]], tuple[Carrier, ...]]
"""Makes a carrier of each subscription of one service. The embedded transport and Kafka are two of these."""
