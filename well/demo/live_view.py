"""The run on a terminal: a row a stage, what it has done, how fast, and what waits for a person."""

from __future__ import annotations

from collections import deque
from typing import Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from well.demo.progress import Progress

RATE_SECONDS: Final = 4.0
"""Seconds over which a rate is taken: short enough to follow, long enough not to jump."""

_SHORTEST_SECONDS: Final = 0.5
"""Seconds below which no rate is taken: the first looks would show figures that are only chance."""

_LOOKS_KEPT: Final = 64
"""Looks at the counts that are kept for rates: more than `RATE_SECONDS` holds at any pace of drawing."""


class LiveView:
    """Draws a run. Give it the counts as they come; it works out the rates itself."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._looks: deque[tuple[float, Progress]] = deque(maxlen=_LOOKS_KEPT)

    def look(self, seconds: float, progress: Progress) -> RenderableType:
        """The picture after `seconds`."""
        self._looks.append((seconds, progress))
        while len(self._looks) > 2 and seconds - self._looks[0][0] > RATE_SECONDS:  # noqa: PLR2004 a rate needs two
            self._looks.popleft()
        return Panel(
            Group(self._stages(progress), Text(), _ends(progress)),
            title=f"[bold]{self._title}[/]",
            subtitle=f"[dim]{seconds:,.0f} s[/]",
            border_style="cyan",
            padding=(1, 2),
        )

    def _stages(self, now: Progress) -> Table:
        table = Table(box=None, pad_edge=False, expand=True, header_style="dim")
        table.add_column("stage", width=26)
        table.add_column("", ratio=1)
        table.add_column("done", justify="right", width=8)
        table.add_column("of", justify="right", width=8)
        table.add_column("a second", justify="right", width=9)
        to_post = now.verdicts.get("post", 0)
        before = self._looks[0][1]
        seconds = self._looks[-1][0] - self._looks[0][0]
        rows = (
            ("Suppliers read from Xero", now.contacts, now.contacts, before.contacts),
            ("Bills read from Xero", now.bills, max(now.records, now.bills), before.bills),
            ("Invoices read from Qonto", now.invoices, now.invoices, before.invoices),
            ("Bills decided", now.decided, now.records, before.decided),
            ("Documents fetched", now.fetched, max(to_post, now.fetched), before.fetched),
            ("Posted and read back", now.ended, max(to_post, now.ended), before.ended),
        )
        for name, done, total, earlier in rows:
            bar = ProgressBar(total=max(total, 1), completed=done, width=None)
            rate = (done - earlier) / max(seconds, _SHORTEST_SECONDS)
            table.add_row(name, bar, f"{done:,}", f"{total:,}", f"{rate:,.0f}" if rate >= 1 else "[dim]·[/]")
        return table


def _ends(now: Progress) -> RenderableType:
    """How the bills stand: each count over its name, so that neither moves nor wraps when the other grows."""
    figures = (
        ("linked", now.verdicts.get("link", 0), "green"),
        ("to post", now.verdicts.get("post", 0), "green"),
        ("left alone", now.verdicts.get("ineligible", 0), ""),
        ("unmatched", now.verdicts.get("unmatched", 0), ""),
        ("waiting for a person", now.waits, "yellow"),
    )
    ends = Table.grid(padding=(0, 4))
    ends.add_row(*(Text(f"{count:,}", style=f"bold {colour}") for _, count, colour in figures))
    ends.add_row(*(Text(name, style="dim") for name, _, _ in figures))
    if now.sentence is None:
        return ends
    return Group(ends, Text(), Text(now.sentence, style="yellow"))
