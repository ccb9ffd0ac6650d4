"""`well trail`: everything that happened to a record, in order."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from libs.contracts.entities import Bill
from libs.contracts.envelope import Envelope
from libs.contracts.errors import Rejected
from libs.contracts.events import EntityNormalized
from libs.contracts.topics import BY_NAME
from services.audit.domain.words import sentence_of

app = typer.Typer(help="Everything that happened to a record.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Everything that happened to a record."""


@app.command()
def show(
    record: Annotated[
        str, typer.Argument(metavar="RECORD", help="A bill by number or Xero's id, or any record by its name.")
    ],
    *,
    workspace: Annotated[UUID | None, typer.Option(metavar="ID", help="Whose; left out, this machine's one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One event a line, whole.")] = False,
) -> None:
    """Every event of a record, each behind the one that caused it."""
    from well.commands.opened import opened

    async def run() -> list[Envelope]:
        async with opened(workspace) as well:
            events = await well.trail.of_record(well.workspace, record)
            if not events:
                view = await well.queue.bill(well.workspace, record)
                events = await well.trail.of_record(well.workspace, view.record)
            return events

    events = asyncio.run(run())
    if not events:
        raise Rejected("No event of this workspace speaks of that record.", code="no_such_record")
    if as_json:
        for event in events:
            typer.echo(event.model_dump_json())
        return
    Console().print(_trail(events))


def _trail(events: list[Envelope]) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("when (UTC)", no_wrap=True, style="dim")
    table.add_column("who", no_wrap=True)
    table.add_column("what", no_wrap=True, style="cyan")
    table.add_column("in words", ratio=1)
    day: date | None = None
    for event in events:
        at = event.occurred_at
        if at.date() != day:
            day = at.date()
            table.add_row(Text(str(day), style="bold"))
        when = f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"
        table.add_row(when, _who(event), event.payload.type, Text(sentence_of(event)))
    return Group(_heading(events), Text(), table)


def _who(event: Envelope) -> str:
    topic = BY_NAME.get(event.topic)
    return topic.owner if topic else "bus"


def _heading(events: list[Envelope]) -> Text:
    """The record's name, behind what a person calls it."""
    entities = [event.payload.entity for event in events if isinstance(event.payload, EntityNormalized)]
    bill = next((entity for entity in reversed(entities) if isinstance(entity, Bill)), None)
    words = [word for word in (bill.number, bill.supplier_name, bill.total and str(bill.total)) if word] if bill else []
    return Text.assemble((", ".join(words) + "\n" if words else "", "bold"), (events[0].record, "dim"))
