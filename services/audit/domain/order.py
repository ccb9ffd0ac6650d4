"""The order of a trail: an event never stands before its cause, and clocks decide the rest. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from uuid import UUID

from libs.contracts.envelope import Envelope


def in_order_of_cause(events: Iterable[Envelope]) -> list[Envelope]:
    """The events of a record, each behind the event that caused it.

    Services on several machines write times that may disagree by a little; a cause is always right. Among events
    whose causes stand, the earlier one comes first, and the id decides a tie, so that two readers see one order.
    """
    by_id = {event.id: event for event in events}
    follows: dict[UUID, list[Envelope]] = {}
    ready: list[tuple[float, str, UUID]] = []
    for event in by_id.values():
        if event.cause in by_id:
            follows.setdefault(event.cause, []).append(event)
        else:
            heapq.heappush(ready, _rank(event))
    ordered = []
    while ready:
        event = by_id[heapq.heappop(ready)[2]]
        ordered.append(event)
        for next_event in follows.pop(event.id, ()):
            heapq.heappush(ready, _rank(next_event))
    return ordered


def _rank(event: Envelope) -> tuple[float, str, UUID]:
    return (event.occurred_at.timestamp(), str(event.id), event.id)
