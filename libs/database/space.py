"""Whether a disk has room for the embedded Postgres."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from libs.contracts.errors import Rejected

SPACE_TO_START_BYTES: Final = 150_000_000
"""Bytes. A fresh server takes 50 MB, and some segments of its log of 16 MB each are soon there."""

SPACE_TO_GO_ON_BYTES: Final = 20_000_000
"""Bytes. One more segment of the log: a server that cannot make it ends."""


def refuse_full(folder: Path, *, least_bytes: int) -> None:
    """Return when the disk of a folder has that much left.

    Raises:
        Rejected: `no_space`.
    """
    left = shutil.disk_usage(folder).free
    if left < least_bytes:
        sentence = (
            f"The disk of {folder} has {left // 1_000_000} MB left, and {least_bytes // 1_000_000} MB are needed. "
            "Make room, then start the same command again: nothing is lost."
        )
        raise Rejected(sentence, code="no_space")
