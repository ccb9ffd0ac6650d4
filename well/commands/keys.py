"""`well keys`: new data keys for workspaces, and a new key-encryption key for all of them."""

from __future__ import annotations

import asyncio
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from libs.contracts.errors import Rejected
from libs.contracts.identity import KeyPurpose

app = typer.Typer(help="The keys that everything is sealed with.", no_args_is_help=True)

PURPOSES: tuple[KeyPurpose, ...] = ("tokens", "payloads", "documents")


@app.command()
def rotate(
    *,
    workspace: Annotated[UUID | None, typer.Option(metavar="ID", help="Whose; left out, this machine's one.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All workspaces.")] = False,
    purpose: Annotated[KeyPurpose | None, typer.Option(help="What for; left out, all three.")] = None,
) -> None:
    """Give a workspace new keys. They seal after ten minutes; what older ones sealed they open further.

    Rows take the new key when they are written the next time.

    Where services run apart, run it with the variables of auth.
    """
    if every and workspace is not None:
        raise Rejected("Say --workspace or --all, not both.", code="workspace_twice")
    asyncio.run(_rotate(workspace, (purpose,) if purpose else PURPOSES, every=every))


@app.command()
def rewrap(
    *,
    new_key: Annotated[bool, typer.Option("--new-key", help="First make a new key-encryption key.")] = False,
) -> None:
    """Wrap the keys of all workspaces anew, with the newest key-encryption key. Nothing else is touched.

    Run it again when it was cut short: it goes on where it stopped.

    Where services run apart, run it with the variables of auth.
    """
    asyncio.run(_rewrap(new_key=new_key))


async def _rotate(workspace: UUID | None, purposes: tuple[KeyPurpose, ...], *, every: bool) -> None:
    from well.beside import auth_here
    from well.whose import named

    shown = Console(highlight=False)
    async with auth_here() as (auth, own):
        chosen = await auth.rotating.workspaces() if every else [named(workspace, own)]
        for whose in chosen:
            for purpose in purposes:
                key = await auth.rotating.rotate(whose, purpose)
                when = f"{key.seals_from:%Y-%m-%d %H:%M} UTC"
                shown.print(
                    f"[green]✓[/] {whose} {purpose}: key {key.generation} seals from {when} on.", soft_wrap=True
                )


async def _rewrap(*, new_key: bool) -> None:
    from well.beside import auth_here

    async with auth_here() as (auth, _):
        done = await auth.rotating.rewrap(new_key_encryption_key=new_key)
    console = Console(highlight=False)
    console.print(f"[green]✓[/] {done.keys} keys, {done.changed} of them wrapped anew.")
