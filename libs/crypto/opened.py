"""What a process has just sealed or opened, so that it need not open it again."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, Generic, TypeAlias, TypeVar
from uuid import UUID

REMEMBERED_BYTES: Final = 8 * 1024 * 1024
"""Sealed bytes. As values they take about five times that; some thousand events or rows are what a burst puts between
the first and the last of those who read them."""

Place: TypeAlias = tuple[UUID, str, str | UUID]
"""A workspace, a table or log, and a row."""

Kept = TypeVar("Kept")


class Opened(Generic[Kept]):
    """The values last seen, found by the place they lie at and the very bytes they are sealed as.

    Whoever seals remembers what it wrote, whoever opens what it read. Bytes that differ by one bit are other bytes, and
    so are the same bytes in another row: what was altered or moved at rest is opened, and refused, as if nothing were
    remembered. What is written and rolled back leaves something that nobody will ask for.
    """

    def __init__(self, remembered_bytes: int = REMEMBERED_BYTES) -> None:
        self._left_bytes = remembered_bytes
        self._values: OrderedDict[tuple[Place, bytes], Kept] = OrderedDict()

    def get(self, place: Place, sealed: bytes) -> Kept | None:
        """The value that these bytes hold in this place, if it was seen lately."""
        return self._values.get((place, sealed))

    def remember(self, place: Place, sealed: bytes, value: Kept) -> None:
        """Remember a value; the oldest leave when there is no room."""
        if (place, sealed) not in self._values:
            self._values[place, sealed] = value
            self._left_bytes -= len(sealed)
        while self._left_bytes < 0:
            (_, forgotten), _ = self._values.popitem(last=False)
            self._left_bytes += len(forgotten)
