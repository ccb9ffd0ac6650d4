"""Durations as counts in slots that are the same everywhere, so that histograms are added by adding counts.

Up to 16 ms every millisecond has a slot of its own; above, every doubling is cut into 8 slots, so that a slot's upper
end is at most an eighth above what lies in it. Integers all the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_EXACT_MS: Final = 16
"""Milliseconds below which nothing is rounded: two doublings of the eight slots."""

_CUT_BITS: Final = 3
"""Bits below the highest one that choose the slot: 8 slots a doubling. Finer would only show noise."""


def slot_of(duration_ms: int) -> int:
    """The slot of a duration, 0 or more."""
    if duration_ms < _EXACT_MS:
        return duration_ms
    shift = duration_ms.bit_length() - 1 - _CUT_BITS
    return (shift << _CUT_BITS) + (duration_ms >> shift)


def longest_ms(slot: int) -> int:
    """The longest duration that lies in a slot."""
    if slot < _EXACT_MS:
        return slot
    shift = (slot >> _CUT_BITS) - 1
    return (((slot & ((1 << _CUT_BITS) - 1)) + (1 << _CUT_BITS) + 1) << shift) - 1


def percentile_ms(counts: Mapping[int, int], percent: int) -> int | None:
    """The duration that `percent` of 100 durations do not exceed, rounded up to the end of its slot; None of none.

    It is the nearest rank: the smallest slot up to which at least so many lie.
    """
    rank = -(-sum(counts.values()) * percent // 100)
    reached = 0
    for slot in sorted(counts):
        reached += counts[slot]
        if counts[slot] and reached >= rank:
            return longest_ms(slot)
    return None
