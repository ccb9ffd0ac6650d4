"""What the demo says at the end: what happened, and what to try next."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from well.demo.summary import Summary


def closing_words(summary: Summary, addresses: dict[str, str], *, once: bool) -> RenderableType:
    """The closing panel."""
    return Panel(
        Group(_figures(summary), Text(), _proofs(summary), Text(), _next(addresses, once=once)),
        title="[bold]Done[/]",
        border_style="green" if summary.lost == summary.posted_twice == 0 else "red",
        padding=(1, 2),
    )


def _figures(summary: Summary) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="bold")
    table.add_column()
    rows = (
        (summary.bills, f"bills in Xero, all decided in {summary.seconds:,.1f} s"),
        (summary.linked, "linked: Qonto had them already"),
        (summary.posted, f"posted once, read back; {summary.verified:,} agree in every field"),
        (summary.unchecked, "of these Qonto could not read; compare them by eye"),
        (summary.review, "wait for a person, with their candidates"),
        (summary.rejected, "cannot be posted: each says why"),
        (summary.unmatched, "matched nothing for certain; tried again when something changes"),
        (summary.ineligible, "left alone: voided, drafts, sales invoices; each with its reason"),
    )
    for count, words in rows:
        if count:
            table.add_row(f"{count:,}", words)
    return table


def _proofs(summary: Summary) -> Text:
    text = Text()
    for count, words in (
        (summary.posted_twice, "posted twice"),
        (summary.lost, "lost"),
        (summary.wrong_links, "wrong links"),
        (summary.posted_though_held, "posted though Qonto had them"),
    ):
        text.append(f"{count} ", style="bold green" if count == 0 else "bold red")
        text.append(words + "   ", style="dim")
    return text


def _next(addresses: dict[str, str], *, once: bool) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(style="dim")
    table.add_row("well review list", "what waits for you, and why")
    table.add_row("well review show NUMBER", "one bill with its candidates and their evidence")
    table.add_row("well review approve NUMBER", "post it, or --link-to one of the candidates")
    table.add_row("well trail show NUMBER", "every event of a bill, in order")
    if not once:
        table.add_row(addresses["status"], "how the process stands; Ctrl-C ends it")
        table.add_row(addresses["xero_standin"] + "/_standin/", "change the books while it runs")
    return table
