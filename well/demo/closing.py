"""What the demo says at the end: what happened, and what to try next."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from well.demo.summary import Summary


def closing_words(summary: Summary, addresses: dict[str, str], *, well: str, once: bool) -> RenderableType:
    """The closing panel; `well` is how the person calls this program."""
    is_whole = summary.lost == summary.posted_twice == summary.wrong_links == 0
    return Panel(
        Group(_figures(summary), Text(), _proofs(summary), Text(), _next(addresses, well, once=once)),
        title="[bold]Done[/]" if is_whole else "[bold]Not as it should be[/]",
        border_style="green" if is_whole else "red",
        padding=(1, 2),
    )


def unfinished(summary: Summary, holds_up: str | None) -> str:
    """What to do when some bills have no end yet, in one line; `holds_up` is what Well said last of why."""
    why = f" {holds_up}" if holds_up else ""
    bills = "1 bill is" if summary.lost == 1 else f"{summary.lost:,} bills are"
    return f"{bills} not finished.{why} Start the same command again: it goes on from here."


def _figures(summary: Summary) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="bold")
    table.add_column()
    rows = (
        (
            summary.bills,
            f"bills in Xero, {_decided(summary)} decided; {summary.seconds:,.1f} s from consent to the end",
        ),
        (summary.linked, "linked: Qonto had them already"),
        (summary.posted, f"posted once, read back; {summary.verified:,} agree in every field"),
        (summary.unchecked, "of these Qonto could not read; compare them by eye"),
        (summary.review, "waiting for a person: each says why"),
        (summary.rejected, "not posted, waiting too: each says why"),
        (summary.unmatched, "matched nothing for certain; tried again when something changes"),
        (summary.ineligible, "left alone: voided, drafts, sales invoices"),
    )
    for count, words in rows:
        if count:
            table.add_row(f"{count:,}", words)
    return table


def _decided(summary: Summary) -> str:
    return "all" if summary.decided == summary.bills else f"{summary.decided:,}"


def _proofs(summary: Summary) -> Text:
    text = Text()
    for count, words in (
        (summary.posted_twice, "posted twice"),
        (summary.lost, "lost"),
        (summary.wrong_links, "wrong links"),
        (summary.posted_though_held, "posted though Qonto had them"),
    ):
        text.append(f"{count:,} ", style="bold green" if count == 0 else "bold red")
        text.append(words + "   ", style="dim")
    text.rstrip()
    return text


def _next(addresses: dict[str, str], well: str, *, once: bool) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(style="dim")
    table.add_row(f"{well} review list", "what waits for you, and why")
    table.add_row(f"{well} review show BILL", "its candidates and their evidence")
    table.add_row(f"{well} review approve BILL", "post it, or --link-to one of them")
    table.add_row(f"{well} review reject BILL", "leave it alone")
    table.add_row(f"{well} trail show BILL", "everything that happened to it")
    if not once:
        table.add_row(addresses["status"], "how it stands; Ctrl-C ends it")
        table.add_row(addresses["xero_standin"] + "/_standin/", "change the books in Xero meanwhile")
    return table
