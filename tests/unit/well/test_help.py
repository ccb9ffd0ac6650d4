"""Help is wrapped for the terminal that it is read in."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from typer.testing import CliRunner

from well.cli import app

_COLUMNS: Final = 80
"""The width of a terminal that does not say its own."""


def test_no_line_of_a_paragraph_ends_early() -> None:
    shown = CliRunner().invoke(app, ["demo", "--help"], env={"COLUMNS": str(_COLUMNS)})
    lines = [line.strip() for line in shown.output.splitlines()]
    start = next(number for number, line in enumerate(lines) if line.startswith("A run that was killed goes on"))
    paragraph = lines[start : lines.index("", start)]
    assert paragraph[-1].endswith("posted twice.")
    for line, following in pairwise(paragraph):
        assert len(f" {line} {following.split()[0]} ") > _COLUMNS
