"""`well programs`: which programs read a person's Xero through Well, and the way to end one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from libs.contracts.consented import Consented
from libs.contracts.errors import Rejected
from libs.runtime.clock import SystemClock
from services.auth.domain.program import Program, told
from services.auth.flow.programs import Programs
from well.called import called
from well.commands.program_screens import ID_SHOWN, ended, listed
from well.home import current

app = typer.Typer(help="Which programs read Xero through Well, and the way to end one.", no_args_is_help=True)

Workspace = Annotated[UUID | None, typer.Option(metavar="ID", help="Whose; left out, this machine's one.")]


def chosen_of(programs: Sequence[Program], named: str) -> Program:
    """The one whose id begins like this.

    Raises:
        Rejected: `no_such_program`; `which_program` when several do.
    """
    found = [each for each in programs if named and str(each.consent).startswith(named.lower())]
    if not found:
        raise Rejected(f"No program's id begins with {named!r}.", code="no_such_program")
    if len(found) > 1:
        ids = ", ".join(str(each.consent)[: ID_SHOWN + len(named)] for each in found)
        raise Rejected(f"Several programs' ids begin with {named!r}: {ids}.", code="which_program")
    return found[0]


@app.command("list")
def list_(
    *,
    workspace: Workspace = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Every program that somebody allowed to read, in its own words."""

    async def run() -> Sequence[Program]:
        async with _programs(workspace) as (programs, whose):
            return await programs.of(whose)

    found = asyncio.run(run())
    if not as_json:
        Console(highlight=False).print(listed(found, called()))
        return
    for program in found:
        typer.echo(json.dumps(told(program)))


@app.command()
def end(
    program: Annotated[str, typer.Argument(metavar="PROGRAM", help="Its id in the list, or how that begins.")],
    *,
    workspace: Workspace = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take back what was allowed to one program. It may ask again."""

    async def run() -> Program:
        async with _programs(workspace) as (programs, whose):
            chosen = chosen_of(await programs.of(whose), program)
            if not yes:
                typer.confirm(f"{chosen.client_name} will read nothing of this Xero any more. Go on?", abort=True)
            await programs.end(Consented(whose, chosen.consent))
            return chosen

    Console(highlight=False).print(ended(asyncio.run(run()), called()))


@asynccontextmanager
async def _programs(workspace: UUID | None) -> AsyncIterator[tuple[Programs, UUID]]:
    """Those of a workspace, beside the process that runs, or without one: no provider has to hear of it."""
    from services.auth.adapters.postgres import PostgresAuthStore
    from well.storage import opened_storage
    from well.whose import known

    installation, clock = current(), SystemClock()
    async with opened_storage(installation, clock, database_url=installation.database_url) as storage:
        store = PostgresAuthStore(storage.sealers.tokens)
        programs = Programs(database=storage.databases["auth"], store=store, clock=clock)
        yield programs, await known(workspace, installation, storage)
