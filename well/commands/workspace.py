"""`well workspace`: the end of a workspace."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final
from uuid import UUID

import typer
from rich.console import Console
from rich.markdown import Markdown

app = typer.Typer(help="Workspaces.", no_args_is_help=True)

_GONE: Final = """\
Workspace {workspace} will be erased, for ever:

* Its keys are destroyed: no token, bill, decision, document or event of it can be read again, here or on Kafka.
* Its consents at Xero and Qonto end, and its sign-ins and readers' grants with them.
* Services that run delete its rows and documents a quarter of an hour later. What stands in logs and on topics stays
  there, and nobody can open it.

What was posted to Qonto stays in Qonto. A backup of the database from before still holds the keys, wrapped: let it run
out, or it can be opened with the key-encryption key of its day.
"""


@app.callback()
def workspaces() -> None:
    """Keep `erase` a command of its own, to be typed in full."""


@app.command()
def erase(
    *,
    workspace: Annotated[UUID | None, typer.Option(metavar="ID", help="Which; left out, this machine's one.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a workspace: destroy its keys, so that nothing of it can be read again. It asks first.

    Where services run apart, run it with the variables of auth. Processes that run forget the keys within five minutes.
    """
    asyncio.run(_erase(workspace, yes=yes))


async def _erase(workspace: UUID | None, *, yes: bool) -> None:
    from well.beside import auth_here
    from well.whose import named

    console, complaints = Console(highlight=False), Console(stderr=True, highlight=False)
    async with auth_here() as (auth, own):
        whose = named(workspace, own)
        if not yes:
            console.print(Markdown(_GONE.format(workspace=whose)))
            console.print()
            typed = await asyncio.to_thread(typer.prompt, "Type the id of the workspace to erase it")
            if typed.strip().lower() != str(whose):
                complaints.print("That is another id. Nothing was erased.", style="bold red")
                raise typer.Exit(1)
        erased = await auth.erasing.erase(whose)
    for sentence in erased.not_told:
        complaints.print(f"{sentence} Remove Well there by hand.", style="yellow", markup=False, soft_wrap=True)
    console.print(f"[green]✓[/] Workspace {whose} is erased.", soft_wrap=True)
