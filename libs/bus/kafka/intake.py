"""What a member has received and not dealt with, and whether something is missing before it. Pure.

Words:
    *place*: a partition of a topic, by the registry's name of the topic.
    *offset*: where a message lies in its partition. `next_offset` is always of the first one that is not dealt with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from libs.bus.batching import of_one_workspace
from libs.bus.kafka.message import LogRow
from libs.eventlog.port import Lane, Position, RawDelivery

Place: TypeAlias = tuple[str, int]
"""A topic and one of its partitions."""


@dataclass(frozen=True)
class _Pending:
    place: Place
    offset: int
    raw: RawDelivery


@dataclass
class Intake:
    """Messages of the partitions a member was given, in the order in which they came."""

    _pending: dict[Position, _Pending] = field(default_factory=dict)
    _received: dict[Lane, int] = field(default_factory=dict)
    _next: dict[Place, int] = field(default_factory=dict)
    _holes: dict[Lane, tuple[Place, int]] = field(default_factory=dict)

    def begin(self, offsets: Mapping[Place, int], positions: Mapping[Lane, int]) -> None:
        """Start over with these partitions, each read from this offset, behind what the group has dealt with."""
        self._pending.clear()
        self._holes.clear()
        self._next = dict(offsets)
        self._received = dict(positions)

    def clear(self) -> None:
        """Forget everything: the partitions were given back."""
        self.begin({}, {})

    def holds(self, place: Place) -> bool:
        """Whether a partition is one of those it began with."""
        return place in self._next

    def take_in(self, place: Place, offset: int, message: LogRow) -> bool:
        """Take a message in, or drop it when it was seen; False, and nothing changed, when one before it is missing."""
        position = message.raw.position
        seen = self._received.get(position.lane, 0)
        if position.sequence > seen:
            if message.previous > seen:
                return False
            self._holes.pop(position.lane, None)
            self._received[position.lane] = position.sequence
            self._pending[position] = _Pending(place, offset, message.raw)
        self._next[place] = offset + 1
        return True

    def pass_hole(self, place: Place, offset: int, message: LogRow) -> None:
        """Pass a message before which one is missing, until what is missing comes, and it again behind that."""
        self._holes.setdefault(message.raw.position.lane, (place, offset))
        self._next[place] = offset + 1

    def holes_before(self, ends: Mapping[Place, int]) -> Sequence[tuple[Place, int]]:
        """Where something is missing although its partition was read to this end: by place, the offset behind it."""
        return sorted(hole for hole in self._holes.values() if self._next[hole[0]] >= ends.get(hole[0], 0))

    @property
    def has_holes(self) -> bool:
        """Whether something is missing before what was received."""
        return bool(self._holes)

    def pass_over(self, place: Place, offset: int) -> None:
        """Pass a message that is no event of ours."""
        self._next[place] = offset + 1

    def batch(self, limit: int) -> Sequence[RawDelivery]:
        """Up to `limit` events of one workspace: that of the one that has waited longest."""
        return of_one_workspace([pending.raw for pending in self._pending.values()])[:limit]

    def done(self, taken: Sequence[RawDelivery]) -> None:
        """Let go of what was dealt with."""
        for raw in taken:
            self._pending.pop(raw.position, None)

    def next_offsets(self) -> Mapping[Place, int]:
        """The offset of each partition before which everything is dealt with."""
        bounds = dict(self._next)
        open_places = [(pending.place, pending.offset) for pending in self._pending.values()]
        for place, offset in (*open_places, *self._holes.values()):
            bounds[place] = min(bounds[place], offset)
        return bounds

    def __len__(self) -> int:
        return len(self._pending)
