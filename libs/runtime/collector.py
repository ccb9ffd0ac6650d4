"""How often Python looks for garbage that only cycles keep alive."""

from __future__ import annotations

import gc
from typing import Final

BETWEEN_LOOKS: Final = (100_000, 20, 50)
"""Objects made before the young are looked at, looks before the middle-aged are, and those before the old. Python's own
700 objects made two fifths of the matcher's time go into walking over events that were all alive: a batch of 500
decisions is some 100,000 objects, freed together by their counts. Cycles come from sessions and tasks, a few a second,
so memory does not grow by it (`python -m tests.bench.raw_to_decision` says how much of each)."""


def collect_rarely() -> None:
    """Let the collector wait until a batch's worth of objects is there; called once, when a process starts."""
    gc.set_threshold(*BETWEEN_LOOKS)
