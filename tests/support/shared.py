"""Real files that are not part of the repository: used where they are, skipped where they are not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

_BESIDE_THE_REPOSITORY: Final = Path(__file__).parents[2].parent / "shared"


def shared(path: str) -> Path:
    """The file at `path` in the folder of `WELL_SHARED`, or in `../shared` beside the repository; else skips."""
    found = Path(os.environ.get("WELL_SHARED", _BESIDE_THE_REPOSITORY)) / path
    if not found.exists():
        pytest.skip(f"the real file {path} is not here; WELL_SHARED may name the folder that holds it")
    return found
