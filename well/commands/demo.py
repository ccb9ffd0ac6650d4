"""`well demo`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def demo(
    *,
    bills: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A CSV (.gz too) with supplier_name, invoice_number, date and net_amount to load as bills.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="Rows of the CSV to load at most.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Run to the end and exit.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: JSON lines, the summary last.")] = False,
) -> None:
    """Bring a made-up company from consent to posted invoices, against stand-ins for Xero and Qonto.

    A run that was killed goes on where it stopped. With --once, a run that had ended starts anew; the status is 1 when
    it was stopped before its end, and 2 when something is lost or was posted twice.
    """
    from well.demo.run import Run, play
    from well.demo.scene import Script

    script = Script(bills=bills, limit=limit, today=datetime.now(UTC).date())
    console = Console(stderr=as_json)
    summary = asyncio.run(play(Run(script, once=once, as_json=as_json), console))
    if summary is None:
        raise typer.Exit(1 if once else 0)
    if summary.lost or summary.posted_twice:
        raise typer.Exit(2)
