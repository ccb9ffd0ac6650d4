"""Where the tests of a run keep their files: in memory where there is room for them, and nowhere afterwards.

Most of what a test with a Postgres of its own waits for is the disk: a new one is made, filled and put away in less
than half the time in memory. What a killed process leaves behind goes with the rest.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

import pytest

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the one place for it on Linux; a folder of our own is made in it

ROOM_BYTES: Final = 6 * 2**30
"""Bytes that must be free: a Postgres takes 80 MB, and what all tests at once hold stays under 2 GB."""

_PASSABLE: Final = 0o755  # run by root, Postgres is another user


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder, of which workers and all other processes hear by TMPDIR."""
    if hasattr(config, "workerinput") or "TMPDIR" in os.environ:
        return
    folder = Path(tempfile.mkdtemp(prefix="well-", dir=MEMORY if _has_room() else None))
    folder.chmod(_PASSABLE)
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None  # what was found before is forgotten
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def _has_room() -> bool:
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM_BYTES:
        return False
    return not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC  # Postgres may be copied beside its folder, and run from there
