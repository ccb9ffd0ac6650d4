"""How often Python looks for garbage that only cycles keep alive."""

from __future__ import annotations

import gc
from typing import Final

ALLOCATIONS_BETWEEN_LOOKS: Final = 100_000
"""Objects. Python's own 700 made two fifths of the matcher's time go into walking over events that were all alive: a
batch of 500 decisions is some 100,000 objects, freed together by their counts. Cycles come from sessions and tasks, a
few a second, so memory does not grow with it (`python -m tests.bench.raw_to_decision` says how much of each)."""

_YOUNG_BEFORE_MIDDLE: Final = 20
_MIDDLE_BEFORE_OLD: Final = 50


def collect_rarely() -> None:
    """Let the collector wait until a batch's worth of objects is there; called once, when a process starts."""
    gc.set_threshold(ALLOCATIONS_BETWEEN_LOOKS, _YOUNG_BEFORE_MIDDLE, _MIDDLE_BEFORE_OLD)
