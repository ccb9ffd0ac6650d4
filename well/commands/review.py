"""`well review`: what waits for a person, and their answers."""

from __future__ import annotations

import asyncio
import getpass
import json
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.text import Text

from services.console.domain.answer import Answer
from services.console.domain.view import BillView
from well.called import called
from well.commands.bill_screens import Queue, bill_page, name_of

app = typer.Typer(help="What waits for a person, and the answers.", no_args_is_help=True)

Workspace = Annotated[UUID | None, typer.Option(metavar="ID", help="Whose; left out, this machine's one.")]
Named = Annotated[str, typer.Argument(metavar="BILL", help="Its number, Xero's id, or its record name.")]
Note = Annotated[str | None, typer.Option(metavar="TEXT", help="Why, for the trail.")]


@app.command("list")
def list_(
    *,
    workspace: Workspace = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=200, help="How many at most.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """The bills that wait, longest first, each with the reason."""
    from well.commands.opened import opened

    async def run() -> tuple[list[BillView], int]:
        async with opened(workspace) as well:
            waiting = await well.queue.waiting(well.workspace, limit=limit)
            return waiting, await well.queue.count_waiting(well.workspace)

    views, count = asyncio.run(run())
    if as_json:
        for view in views:
            typer.echo(json.dumps(_as_json(view)))
        return
    Console().print(Queue(views, count, called()))


@app.command()
def show(bill: Named, *, workspace: Workspace = None) -> None:
    """One bill with its candidates and the evidence for each."""
    from well.commands.opened import opened

    async def run() -> BillView:
        async with opened(workspace) as well:
            return await well.queue.bill(well.workspace, bill)

    Console().print(bill_page(asyncio.run(run()), called()))


@app.command()
def approve(
    bill: Named,
    *,
    link_to: Annotated[
        str | None,
        typer.Option(
            metavar="INVOICE",
            help="The supplier invoice it is, by the beginning of its id; left out, post it as new.",
        ),
    ] = None,
    note: Note = None,
    workspace: Workspace = None,
) -> None:
    """Post the bill as new, or with --link-to say which supplier invoice it is."""
    _answer(bill, "link" if link_to else "post", workspace, invoice_id=link_to, note=note)


@app.command()
def reject(bill: Named, *, note: Note = None, workspace: Workspace = None) -> None:
    """Leave the bill alone for good."""
    _answer(bill, "never", workspace, invoice_id=None, note=note)


def _answer(bill: str, answer: Answer, workspace: UUID | None, *, invoice_id: str | None, note: str | None) -> None:
    from well.commands.opened import opened

    async def run() -> BillView:
        async with opened(workspace) as well:
            by = getpass.getuser()
            return await well.queue.answer(well.workspace, bill, answer, by=by, invoice_id=invoice_id, note=note)

    view = asyncio.run(run())
    words = {
        "link": "is that supplier invoice; nothing will be uploaded.",
        "post": "will be posted as new.",
        "never": "is left alone.",
    }
    Console().print(Text.assemble(("✓", "green"), f" {name_of(view)} {words[answer]}"))


def _as_json(view: BillView) -> dict[str, object]:
    return {
        "record": view.record,
        "bill": view.bill.model_dump(mode="json") if view.bill else None,
        "why": view.why,
        "decision": view.decision.model_dump(mode="json") if view.decision else None,
        "posting": view.posting,
    }
