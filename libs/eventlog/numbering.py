"""The arithmetic of a log, pure and shared by both of its forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from libs.contracts.envelope import Envelope
from libs.contracts.errors import Stale
from libs.eventlog.port import Consumed, Lane, Position


def numbered(log: str, events: Sequence[Envelope], heads: Mapping[int, int]) -> tuple[Position, ...]:
    """The position of each event behind the given heads, in the order the events are given in."""
    heads = dict(heads)
    positions = []
    for event in events:
        heads[event.bucket] = heads.get(event.bucket, 0) + 1
        positions.append(Position(log, event.topic, event.bucket, heads[event.bucket]))
    return tuple(positions)


def split_consumed(consumed: Consumed, known: Mapping[Lane, int]) -> dict[Lane, int]:
    """Where each lane moves to; empty when everything was seen before.

    Raises:
        Stale: Some positions were seen before and some were not.
    """
    fresh = [p for p in consumed.positions if p.sequence > known.get(p.lane, 0)]
    if not fresh:
        return {}
    if len(fresh) < len(consumed.positions):
        raise Stale("A part of this batch was dealt with before; take `unseen` first.")
    moved: dict[Lane, int] = {}
    for p in fresh:
        moved[p.lane] = max(p.sequence, moved.get(p.lane, 0))
    return moved
