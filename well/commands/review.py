"""`well review`: what waits for a person, and their answers."""

from __future__ import annotations

import asyncio
import getpass
import json
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from libs.contracts.events import Candidate
from services.console.domain.answer import Answer
from services.console.domain.view import BillView

app = typer.Typer(help="What waits for a person, and the answers.", no_args_is_help=True)

Workspace = Annotated[UUID | None, typer.Option(help="Whose; left out, this machine's one.")]
Named = Annotated[str, typer.Argument(metavar="BILL", help="Its number, Xero's id, or its record name.")]
Note = Annotated[str | None, typer.Option(help="Why, for the trail.")]


@app.command("list")
def list_(
    *,
    workspace: Workspace = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 20,
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
    Console().print(_queue(views, count))


@app.command()
def show(bill: Named, *, workspace: Workspace = None) -> None:
    """One bill with its candidates and the evidence for each."""
    from well.commands.opened import opened

    async def run() -> BillView:
        async with opened(workspace) as well:
            return await well.queue.bill(well.workspace, bill)

    Console().print(_page(asyncio.run(run())))


@app.command()
def approve(
    bill: Named,
    *,
    link_to: Annotated[str | None, typer.Option(help="The supplier invoice it is; left out, post it as new.")] = None,
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
    Console().print(f"[green]✓[/] {_name(view)} {words[answer]}", highlight=False)


def _queue(views: list[BillView], count: int) -> RenderableType:
    """The queue, the bills of one reason together under it."""
    if not views:
        return Panel("Nothing waits for you.", border_style="green", padding=(1, 2))
    by_reason: dict[str, list[BillView]] = {}
    for view in views:
        by_reason.setdefault(view.why, []).append(view)
    blocks: list[RenderableType] = []
    for reason, waiting in by_reason.items():
        blocks += [Text(reason, style="yellow"), Padding(_bills(waiting), (0, 0, 1, 2))]
    rest = f"{count - len(views):,} more wait; see them with --limit.  " if count > len(views) else ""
    return Group(*blocks, Text(f"{rest}Look closer: well review show BILL", style="dim"))


def _bills(views: list[BillView]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold", min_width=12)
    table.add_column(width=30, no_wrap=True, overflow="ellipsis")
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True, min_width=14)
    table.add_column(no_wrap=True, style="dim")
    for view in views:
        bill = view.bill
        best = max((candidate.confidence for candidate in _candidates(view)), default=None)
        table.add_row(
            _name(view),
            (bill.supplier_name if bill else None) or "[dim]unknown[/]",
            str(bill.issue_date) if bill and bill.issue_date else "[dim]no date[/]",
            str(bill.total) if bill and bill.total else "[dim]no total[/]",
            f"likeliest {best:.0%}" if best is not None else "",
        )
    return table


def _page(view: BillView) -> RenderableType:
    bill = view.bill
    head = Table.grid(padding=(0, 2))
    head.add_column(style="dim")
    head.add_column()
    if bill is not None:
        head.add_row("supplier", bill.supplier_name or "unknown")
        head.add_row("date, due", f"{bill.issue_date or 'none'}, {bill.due_date or 'none'}")
        head.add_row("total, tax", f"{bill.total or 'none'}, {bill.total_tax or 'none'}")
        head.add_row("in Xero", bill.bill_id)
    head.add_row("stands at", f"{view.decision.verdict if view.decision else 'not decided'}" + _posted(view))
    blocks: list[RenderableType] = [head, Text(), Text(view.why, style="yellow" if view.waits else "")]
    for candidate in _candidates(view):
        blocks += [Text(), _candidate(candidate)]
    if view.decision is not None and view.decision.candidates:
        blocks += [Text(), Text(f"Qonto does not have it: {view.decision.none_confidence:.1%}", style="bold")]
    return Panel(Group(*blocks), title=f"[bold]{_name(view)}[/]", border_style="cyan", padding=(1, 2))


def _candidate(candidate: Candidate) -> RenderableType:
    table = Table(
        title=f"{candidate.invoice_id}  [bold]{candidate.confidence:.1%}[/]",
        title_justify="left",
        title_style="",
        box=None,
        pad_edge=False,
        header_style="dim",
        padding=(0, 2, 0, 0),
    )
    for column in ("field", "how", "in Xero", "in Qonto"):
        table.add_column(column)
    table.add_column("bits", justify="right")
    for line in candidate.evidence:
        colour = "green" if line.bits > 0 else "red"
        table.add_row(
            line.field,
            line.level.replace("_", " "),
            line.ours or "",
            line.theirs or "",
            f"[{colour}]{line.bits:+.1f}[/]",
        )
    return table


def _candidates(view: BillView) -> tuple[Candidate, ...]:
    return view.decision.candidates if view.decision else ()


def _posted(view: BillView) -> str:
    return f", posting {view.posting}" + (f" as {view.invoice_id}" if view.invoice_id else "") if view.posting else ""


def _name(view: BillView) -> str:
    return (view.bill.number if view.bill else None) or view.record.rsplit("/", 1)[-1]


def _as_json(view: BillView) -> dict[str, object]:
    return {
        "record": view.record,
        "bill": view.bill.model_dump(mode="json") if view.bill else None,
        "why": view.why,
        "decision": view.decision.model_dump(mode="json") if view.decision else None,
        "posting": view.posting,
    }
