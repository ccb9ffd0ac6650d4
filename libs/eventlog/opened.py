"""Events that this process has just written or opened, so that the next group need not open them again."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final
from uuid import UUID

from libs.contracts.envelope import Envelope

REMEMBERED_BYTES: Final = 8 * 1024 * 1024
"""Bytes of sealed events. As values they take about five times that; some thousand events are what a burst puts
between the first and the last of the groups that read them."""


class OpenedEvents:
    """The events last seen, found by the place they lie at and the very bytes they are sealed as.

    The log remembers what it writes and the reader what it opens. Bytes that differ by one bit are other bytes, and so
    are the same bytes in another row or log: what was altered or moved at rest is opened, and refused, as if nothing
    were remembered. An append that is rolled back leaves something that nobody will ask for.
    """

    def __init__(self, remembered_bytes: int = REMEMBERED_BYTES) -> None:
        self._left_bytes = remembered_bytes
        self._events: OrderedDict[tuple[str, UUID, bytes], Envelope] = OrderedDict()

    def get(self, log: str, event_id: UUID, sealed: bytes) -> Envelope | None:
        """The event that these bytes hold in the row of this id, if it was seen lately."""
        return self._events.get((log, event_id, sealed))

    def remember(self, log: str, sealed: bytes, event: Envelope) -> None:
        """Remember an event in its row of a log; the oldest leave when there is no room."""
        place = (log, event.id, sealed)
        if place not in self._events:
            self._events[place] = event
            self._left_bytes -= len(sealed)
        while self._left_bytes < 0:
            (_, _, forgotten), _ = self._events.popitem(last=False)
            self._left_bytes += len(forgotten)
