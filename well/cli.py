"""The command line of Well."""

from __future__ import annotations

import errno
import sys
from io import TextIOWrapper
from typing import Final, TextIO

import typer
from rich.console import Console

from libs.contracts.errors import WellError
from libs.runtime.collector import collect_rarely
from libs.runtime.crashpoints import arm_from_environment
from libs.runtime.logs import set_up_logs
from well.commands import connect, connections, demo, keys, programs, review, run, topics, trail, up, workspace

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
"""A disk, or a user's part of it; whoever writes to an open file is not told which one."""

app = typer.Typer(
    name="well",
    help="Moves Xero bills into Qonto as supplier invoices, with a reason and a trail for each.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command("demo")(demo.demo)
app.command("up")(up.up)
app.command("run")(run.run)
app.command("migrate")(run.migrate)
app.command("secrets")(run.secrets)
app.command("sign-in")(run.sign_in)
app.command("connect")(connect.connect)
app.add_typer(connections.app, name="connections")
app.add_typer(programs.app, name="programs")
app.add_typer(review.app, name="review")
app.add_typer(trail.app, name="trail")
app.add_typer(topics.app, name="topics")
app.add_typer(keys.app, name="keys")
app.add_typer(workspace.app, name="workspace")


def main() -> None:
    """Run a command; an error of ours, or a file that cannot be used, ends with its sentence and status 1."""
    try:
        write_every_letter(sys.stdout)
        set_up_logs()
        collect_rarely()
        arm_from_environment()
        app()
    except (WellError, OSError) as error:
        if not _is_for_a_person(error):
            raise
        _end(error)
    except BaseExceptionGroup as group:
        ours = group.subgroup(_is_for_a_person)
        if ours is None:
            raise
        _end(_first(ours))


def write_every_letter(stream: TextIO) -> None:
    """Have what a terminal's character set lacks written as an escape, where it would end the command."""
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")


def _is_for_a_person(error: BaseException) -> bool:
    """Whether its sentence says what to do; an error of the system's does that names a file, or a full disk."""
    return isinstance(error, WellError) or (
        isinstance(error, OSError) and (error.filename is not None or error.errno in _FULL)
    )


def _end(error: BaseException) -> None:
    console = Console(stderr=True)
    whole = not console.is_terminal  # a line that another program reads stays one
    sentence = str(error)
    if isinstance(error, OSError):
        sentence = f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}: make room there."
    console.print(sentence, style="bold red", markup=False, highlight=False, soft_wrap=whole)
    sys.exit(1)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
