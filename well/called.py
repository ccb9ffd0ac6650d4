"""How this program is called from where a person stands, so that what is shown can be typed."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path


def called() -> str:
    """`well` where a shell finds this program by that name, else the path it was started by."""
    found = shutil.which("well")
    mine = Path(sys.argv[0])
    return "well" if found and mine.exists() and Path(found).samefile(mine) else shlex.quote(sys.argv[0])
