"""What is written suits the terminal that it is read in: its width, and its character set."""

from __future__ import annotations

from io import BytesIO, TextIOWrapper
from itertools import pairwise
from typing import Final

from typer.testing import CliRunner

from well.cli import app, write_every_letter

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


def test_a_letter_that_the_terminal_lacks_is_written_as_an_escape() -> None:
    written = BytesIO()
    stream = TextIOWrapper(written, "latin-1")
    write_every_letter(stream)
    print("✓ Lefèvre", end="", file=stream, flush=True)
    assert written.getvalue() == b"\\u2713 Lef\xe8vre"
