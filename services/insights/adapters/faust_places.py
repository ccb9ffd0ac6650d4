"""How far each partition is read, and that no message is passed over."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from faust.types import TP

from libs.contracts.errors import Transient


class Places:
    """The next offset of each partition.

    Offsets of our topics have no holes: nobody writes them in transactions, and none is compacted. So a hole means that
    Faust let something fall, and figures would be too low without a word.
    """

    def __init__(self) -> None:
        self._next: dict[TP, int] = {}
        self._earliest: dict[TP, int] = {}

    def begin(self) -> None:
        """Reading begins again where it was committed."""
        self._next.clear()
        self._earliest.clear()

    async def expect(self, consumer: Any, came: Any) -> None:  # noqa: ANN401 as Faust has them
        """See that a message is the next of its partition, or one that comes again.

        Raises:
            Transient: Messages before it were passed over.
        """
        await self._learn(consumer, [came.tp])
        missed = came.offset - self._next_of(consumer, came.tp)
        if missed > 0:
            raise Transient(f"{missed} messages of {came.topic} were passed over; they are read after a new start.")

    def taken(self, came: Any) -> None:  # noqa: ANN401 as above
        """This message was taken."""
        self._next[came.tp] = came.offset + 1

    async def left(self, consumer: Any, partitions: Collection[TP]) -> int:  # noqa: ANN401 as above
        """Messages that are left to take in these partitions."""
        await self._learn(consumer, partitions)
        ends = await consumer.highwaters(*partitions)
        return sum(max(0, end - self._next_of(consumer, tp)) for tp, end in ends.items())

    async def _learn(self, consumer: Any, partitions: Collection[TP]) -> None:  # noqa: ANN401 as above
        """Older messages may have been deleted."""
        unknown = [tp for tp in partitions if tp not in self._earliest]
        if unknown:
            earliest = await consumer.earliest_offsets(*unknown)
            self._earliest.update({tp: offset or 0 for tp, offset in earliest.items()})

    def _next_of(self, consumer: Any, tp: TP) -> int:  # noqa: ANN401 as above
        committed = consumer._committed_offset[tp] or 0  # noqa: SLF001 it tells nobody in another way
        return self._next.get(tp, max(self._earliest.get(tp, 0), committed))
