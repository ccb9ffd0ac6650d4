"""The queue and one bill, as a person at a terminal sees them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from libs.contracts.events import Candidate, Verdict
from services.console.domain.view import BillView

_SUPPLIER_COLUMNS: Final = (12, 40)
"""Columns of a terminal that a supplier's name is given: so few when it is narrow, so many at most when it is not."""

_SHORT_ID: Final = 8
"""Characters of an id. They tell it from the dozen others a bill may have; if they do not, the answer is refused."""

_GAP: Final = "  "

_VERDICTS: Final[dict[Verdict, str]] = {
    "link": "linked: Qonto has it",
    "post": "to be posted",
    "review": "waits for a person",
    "unmatched": "nothing certain yet",
    "ineligible": "left alone",
}


@dataclass(frozen=True)
class Queue:
    """The bills that wait, those of one reason together under it, in columns that stand below each other throughout.

    Attributes:
        views: Those shown.
        count: How many wait in all.
        well: How the person calls this program.
    """

    views: list[BillView]
    count: int
    well: str

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        if not self.views:
            yield Text("Nothing waits for you.", style="green")
            return
        by_reason: dict[str, list[int]] = {}
        for place, view in enumerate(self.views):
            by_reason.setdefault(view.why, []).append(place)
        lines = self._lines(options.max_width)
        for reason, places in by_reason.items():
            yield Text(reason, style="yellow")
            for place in places:
                yield lines[place]
            yield Text()
        if self.count > len(self.views):
            yield Text(f"{self.count - len(self.views):,} more wait; see them with --limit.", style="dim")
        yield Text(f"Look closer: {self.well} review show BILL", style="dim")

    def _lines(self, columns: int) -> list[Text]:
        rows = [_row(view) for view in self.views]
        widths = [max(cell.cell_len for cell in column) for column in zip(*rows, strict=True)]
        least, most = _SUPPLIER_COLUMNS
        others = sum(widths) - widths[1] + len(_GAP) * len(widths)
        widths[1] = max(least, min(widths[1], most, columns - others))
        return [_line(row, widths) for row in rows]


def _row(view: BillView) -> tuple[Text, ...]:
    bill = view.bill
    best = max((candidate.confidence for candidate in candidates_of(view)), default=None)
    return (
        Text(name_of(view), style="bold"),
        Text(bill.supplier_name) if bill and bill.supplier_name else Text("unknown", style="dim"),
        Text(str(bill.issue_date)) if bill and bill.issue_date else Text("no date", style="dim"),
        Text(str(bill.total)) if bill and bill.total else Text("no total", style="dim"),
        Text("" if best is None else f"{best:.0%} likely", style="dim"),
    )


def _line(row: tuple[Text, ...], widths: list[int]) -> Text:
    """One line; the total stands to the right of its column."""
    line = Text(no_wrap=True, overflow="ellipsis")
    for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
        cell.truncate(width, overflow="ellipsis")
        cell.align("right" if place == len(row) - 2 else "left", width)
        line.append(_GAP).append_text(cell)
    line.rstrip()
    return line


def bill_page(view: BillView, well: str) -> RenderableType:
    """One bill with its candidates, the evidence for each, and what can be typed next: `well` is how it is called."""
    bill = view.bill
    head = Table.grid(padding=(0, 2))
    head.add_column(style="dim")
    head.add_column()
    if bill is not None:
        head.add_row("supplier", Text(bill.supplier_name or "unknown"))
        head.add_row("date, due", f"{bill.issue_date or 'none'}, {bill.due_date or 'none'}")
        head.add_row("total, tax", f"{bill.total or 'none'}, {bill.total_tax or 'none'}")
        head.add_row("in Xero", Text(bill.bill_id))
    head.add_row("stands at", Text(_standing(view)))
    blocks: list[RenderableType] = [head, Text(), Text(view.why, style="yellow" if view.waits else "")]
    for candidate in candidates_of(view):
        blocks += [Text(), _candidate(candidate)]
    if view.decision is not None and view.decision.candidates:
        blocks += [Text(), Text(f"Qonto does not have it: {view.decision.none_confidence:.1%}", style="bold")]
    page = Panel(Group(*blocks), title=Text(name_of(view), style="bold"), border_style="cyan", padding=(1, 2))
    return Group(page, _answers(view, well)) if view.waits else page


def _standing(view: BillView) -> str:
    verdict = _VERDICTS[view.decision.verdict] if view.decision else "not decided yet"
    posting = f"; posting {view.posting}" if view.posting else ""
    return verdict + posting + (f" as {view.invoice_id}" if view.posting and view.invoice_id else "")


def _candidate(candidate: Candidate) -> RenderableType:
    table = Table(
        title=Text.assemble(candidate.invoice_id, "  ", (f"{candidate.confidence:.1%}", "bold")),
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
        table.add_row(
            Text(line.field),
            Text(line.level.replace("_", " ")),
            Text(line.ours or ""),
            Text(line.theirs or ""),
            Text(f"{line.bits:+.1f}", style="green" if line.bits > 0 else "red" if line.bits < 0 else "dim"),
        )
    return table


def _answers(view: BillView, well: str) -> Table:
    """What can be typed next, with the names that this bill needs."""
    approve, reject = (f"{well} review {verb} {shlex.quote(name_of(view))}" for verb in ("approve", "reject"))
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", overflow="fold")
    table.add_column(style="dim", no_wrap=True)
    if candidates_of(view):
        best = max(candidates_of(view), key=lambda candidate: candidate.confidence)
        table.add_row(Text(f"{approve} --link-to {best.invoice_id[:_SHORT_ID]}"), "it is this one")
    table.add_row(Text(approve), "post it as new")
    table.add_row(Text(reject), "leave it alone")
    return table


def candidates_of(view: BillView) -> tuple[Candidate, ...]:
    """The supplier invoices it may be."""
    return view.decision.candidates if view.decision else ()


def name_of(view: BillView) -> str:
    """What a person calls it: its number, or Xero's id where it has none."""
    return (view.bill.number if view.bill else None) or view.record.rsplit("/", 1)[-1]
