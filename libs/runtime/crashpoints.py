"""Named points at which a test may kill the process for real.

A point costs one dictionary look-up when it is not armed. `WELL_CRASH_AT=pusher.sent` kills at the first pass through
that point with the signal that nothing can catch; `WELL_CRASH_AT=pusher.sent:3` at the third.
"""

from __future__ import annotations

import os
import re
import signal
from typing import Final

POSTING_POINTS: Final = (
    "pusher.before_intent",
    "pusher.after_intent",
    "pusher.before_sent",
    "pusher.after_sent",
    "pusher.after_answer",
    "pusher.before_settled",
    "pusher.after_settled",
    "pusher.after_read_back",
)
"""The points of a posting, in the order it passes them. The crash matrix in the tests walks this list."""

REFRESH_POINTS: Final = ("auth.after_lease", "auth.after_answer", "auth.before_kept", "auth.after_kept")
"""The points of a refresh of tokens, in the order it passes them. A test kills a borrower at each."""

KEY_POINTS: Final = ("auth.rewrapped", "auth.before_erased", "auth.after_erased")
"""The points of a change of the key-encryption key, one for each data key, and of the erasure of a workspace."""

POINTS: Final = (*POSTING_POINTS, *REFRESH_POINTS, *KEY_POINTS)
"""Every point there is."""

_armed: Final[dict[str, int]] = {}


def arm_from_environment() -> None:
    """Arm the point that `WELL_CRASH_AT` names.

    Raises:
        ValueError: The variable names no point, or a pass that is not a whole number from 1.
    """
    wanted = os.environ.get("WELL_CRASH_AT")
    if not wanted:
        return
    name, _, nth = wanted.partition(":")
    if name not in POINTS:
        raise ValueError(f"WELL_CRASH_AT names {name!r}; the points are: {', '.join(POINTS)}")
    if not re.fullmatch("[1-9][0-9]*", nth or "1"):
        raise ValueError(f"WELL_CRASH_AT names pass {nth!r}; passes are counted from 1")
    _armed[name] = int(nth or "1")


def crashpoint(name: str) -> None:
    """Die here if this point is armed and its turn has come."""
    left = _armed.get(name)
    if left is None:
        return
    if left == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    _armed[name] = left - 1
