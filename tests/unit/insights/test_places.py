"""No message of a partition is passed over."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from faust.types import TP

from libs.contracts.errors import Transient
from services.insights.adapters.faust_places import Places

ONE, OTHER = TP("xero.raw.v1", 0), TP("xero.raw.v1", 1)


@dataclass
class Partitions:
    """What Faust's consumer tells of its partitions."""

    earliest: dict[TP, int | None] = field(default_factory=dict)
    ends: dict[TP, int] = field(default_factory=dict)
    _committed_offset: dict[TP, int | None] = field(default_factory=lambda: {ONE: None, OTHER: None})

    asked: int = 0

    async def earliest_offsets(self, *partitions: TP) -> dict[TP, int | None]:
        self.asked += 1
        return {tp: self.earliest.get(tp) for tp in partitions}

    async def highwaters(self, *partitions: TP) -> dict[TP, int]:
        return {tp: self.ends[tp] for tp in partitions}

    def commit(self, tp: TP, offset: int) -> None:
        self._committed_offset[tp] = offset


@dataclass(frozen=True)
class Came:
    """A message, as far as its place goes."""

    tp: TP
    offset: int

    @property
    def topic(self) -> str:
        return self.tp.topic


async def test_the_next_message_and_earlier_ones_are_expected_and_none_behind() -> None:
    places, partitions = Places(), Partitions()
    await places.expect(partitions, Came(ONE, 0))
    places.taken(Came(ONE, 0))
    for offset in (0, 1):
        await places.expect(partitions, Came(ONE, offset))
    with pytest.raises(Transient, match=r"^2 messages of xero\.raw\.v1 were passed over"):
        await places.expect(partitions, Came(ONE, 3))
    await places.expect(partitions, Came(OTHER, 0))


async def test_reading_begins_where_it_was_committed() -> None:
    places, partitions = Places(), Partitions()
    partitions.commit(ONE, 7)
    await places.expect(partitions, Came(ONE, 7))
    with pytest.raises(Transient):
        await places.expect(partitions, Came(ONE, 8))


async def test_what_was_deleted_is_not_missed_and_not_left() -> None:
    places, partitions = Places(), Partitions(earliest={ONE: 5, OTHER: 9}, ends={ONE: 8, OTHER: 9})
    partitions.commit(ONE, 2)
    assert await places.left(partitions, [ONE, OTHER]) == 3
    await places.expect(partitions, Came(ONE, 5))
    with pytest.raises(Transient):
        await places.expect(partitions, Came(ONE, 6))


async def test_what_is_left_becomes_less_with_each_message_and_is_never_negative() -> None:
    places, partitions = Places(), Partitions(ends={ONE: 2, OTHER: 1})
    assert await places.left(partitions, [ONE, OTHER]) == 3
    places.taken(Came(ONE, 0))
    assert await places.left(partitions, [ONE, OTHER]) == 2
    places.taken(Came(ONE, 1))
    places.taken(Came(OTHER, 3))
    assert await places.left(partitions, [ONE, OTHER]) == 0


async def test_after_others_came_or_went_it_begins_where_it_is_committed_again() -> None:
    places, partitions = Places(), Partitions()
    places.taken(Came(ONE, 3))
    partitions.commit(ONE, 9)
    places.begin()
    await places.expect(partitions, Came(ONE, 9))


async def test_what_was_deleted_meanwhile_is_learned_when_it_begins_again_and_asked_for_once() -> None:
    places, partitions = Places(), Partitions()
    for _ in range(2):
        await places.expect(partitions, Came(ONE, 0))
        places.taken(Came(ONE, 0))
    assert partitions.asked == 1
    partitions.earliest[ONE] = 5
    places.begin()
    await places.expect(partitions, Came(ONE, 5))
    assert partitions.asked == 2
