"""`well demo`: stand-ins, one company, from consent to posted invoices; to the end, or until it is stopped."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final
from uuid import UUID

from rich.console import Console
from rich.live import Live

from libs.contracts.errors import Transient
from libs.database.space import SPACE_TO_GO_ON_BYTES, refuse_full
from libs.runtime.clock import SystemClock
from well.called import called
from well.demo.live_view import LiveView
from well.demo.progress import Progress, progress_of
from well.demo.scene import TENANT, Script, connect, lay_out
from well.demo.standins import Standins, running_standins
from well.home import Installation
from well.standin_settings import at_standins

if TYPE_CHECKING:
    from well.all_in_one import AllInOne
    from well.demo.company import Company
    from well.demo.summary import Summary

LOOK_SECONDS: Final = 0.25
"""Seconds between looks at the counts: a live view that moves, at a cost of a few queries a second."""

STALL_SECONDS: Final = 180.0
"""Seconds without any change after which a run with --once ends unfinished: longer than a provider's fixed rate window
of a minute and the pauses after it, short enough for a script that waits. What is left goes on with the next run."""


SPAWNED_SECONDS: Final = 0.05
"""Seconds after which both stand-ins have been spawned, and start beside us while we import the services. In this
thread: modules that two threads import at once find each other half made, now and then."""


@dataclass(frozen=True)
class Run:
    """How to play.

    Attributes:
        script: What.
        once: To the end and out.
        as_json: For programs: addresses first unless `once`, the summary last, nothing else on standard output.
    """

    script: Script
    once: bool
    as_json: bool


async def play(run: Run, console: Console) -> Summary | None:
    """Play the demo; returns the summary when it ran to the end.

    Raises:
        Malformed: The CSV is none.
        Rejected: The installation cannot be used, another process plays it, or a stand-in was ended.
        Transient: A part did not start.
    """
    started = time.monotonic()
    installation = run.script.installation()
    state = installation.state()
    anew = run.once and bool(state.get("finished"))
    # Before anything starts: a file that is none is refused at once, and leaves no trace.
    company = run.script.company() if anew or not state.get("laid_out") else None
    installation.make()
    with installation.locked():
        if anew:
            installation.empty()
        async with _set_up(run, installation, company, console) as stage:
            return await _perform(stage, started=started)


@dataclass(frozen=True)
class _Stage:
    """Everything that runs while the demo plays."""

    run: Run
    installation: Installation
    well: AllInOne
    standins: Standins
    workspace: UUID
    console: Console

    @property
    def addresses(self) -> dict[str, str]:
        """Where other programs can join in."""
        return {
            "xero_mcp": self.well.services.xero_mcp.url,
            "xero_standin": self.standins.xero_url,
            "qonto_standin": self.standins.qonto_url,
            "status": f"{self.well.url}/status",
            "postgres": self.well.storage.dsn,
        }

    def tell(self, sentence: str) -> None:
        """Tell a person something, where one reads along."""
        if not self.run.as_json:
            self.console.print(sentence, style="dim")

    async def progress(self) -> Progress | None:
        """How far the run is; None while Postgres or a stand-in does not answer, for which the services wait too.

        Raises:
            Rejected: A stand-in was ended, or the disk is full.
        """
        self.standins.check()
        refuse_full(self.installation.folder, least_bytes=SPACE_TO_GO_ON_BYTES)
        try:
            tenants = (await self.standins.ask_xero("holdings"))["tenants"]
            return await progress_of(self.well, self.workspace, int(tenants[TENANT]["invoices"]))
        except Transient:
            return None


@asynccontextmanager
async def _set_up(
    run: Run, installation: Installation, company: Company | None, console: Console
) -> AsyncIterator[_Stage]:
    workspace = installation.workspace()
    async with AsyncExitStack() as stack:
        status = stack.enter_context(console.status("Starting two stand-ins …"))
        asyncio.get_running_loop().call_later(SPAWNED_SECONDS, _import_services)
        standins = await stack.enter_async_context(running_standins(installation))
        status.update("Laying out the company's books …")
        await lay_out(company, installation, standins)
        status.update("Starting Postgres and the services …")
        from well.all_in_one import running_well

        settings = at_standins(standins.xero_url, standins.qonto_url, workspace)
        well = await stack.enter_async_context(running_well(installation, settings, SystemClock()))
        installation.remember(url=well.url)
        status.update("Connecting Xero and Qonto …")
        await connect(well, workspace)
        status.stop()
        yield _Stage(run, installation, well, standins, workspace, console)


def _import_services() -> None:
    """What is imported when it is wired, a little earlier."""
    import_module("well.all_in_one")
    for service in ("auth", "xero_mcp", "ingest", "matcher", "pusher", "console"):
        import_module(f"services.{service}.main")


async def _perform(stage: _Stage, *, started: float) -> Summary | None:
    stop = _stop_on_signal()
    connected, consent = time.monotonic(), SystemClock().now()
    run = stage.run
    if run.as_json and not run.once:
        _say(stage.addresses)
    if not await _until_finished(stage, stop):
        sentence = "Stopping: what is under way is finished first. The next run goes on from here."
        stage.console.print(sentence, style="dim", soft_wrap=True)
        return None
    from well.demo.scene import truth_of
    from well.demo.summary import summarise

    summary = await summarise(
        stage.well.storage.reader,
        stage.standins,
        truth_of(stage.installation),
        tenant=TENANT,
        workspace=stage.workspace,
        consent=consent,
        seconds=time.monotonic() - connected,
        start_seconds=connected - started,
    )
    await _tell_end(stage, summary)
    if not run.once:
        await stop.wait()
        stage.tell("Stopping: what is under way is finished first.")
    return summary


async def _tell_end(stage: _Stage, summary: Summary) -> None:
    from well.demo.closing import closing_words, unfinished

    run = stage.run
    if run.as_json:
        _say(summary.model_dump())
    else:
        stage.console.print(closing_words(summary, stage.addresses, well=called(), once=run.once))
    if run.once:
        stage.installation.remember(finished=summary.lost == 0)
        if summary.lost:
            progress = await stage.progress()
            stage.console.print(unfinished(summary, progress.sentence if progress else None), soft_wrap=True)


async def _until_finished(stage: _Stage, stop: asyncio.Event) -> bool:
    """Look until nothing is left to do or nothing moves, showing how it goes; False when it was stopped before."""
    begun = time.monotonic()
    bills = stage.run.script.bills
    view = LiveView(f"Well · {bills.name}" if bills else "Well · a made-up company")
    shown = not stage.run.as_json and stage.console.is_terminal
    with Live(console=stage.console, auto_refresh=False) if shown else nullcontext() as live:
        before: Progress | None = None
        changed = begun
        while not stop.is_set():
            progress = await stage.progress()
            if progress is not None:
                changed = changed if progress == before else time.monotonic()
                if live is not None:
                    live.update(view.look(time.monotonic() - begun, progress), refresh=True)
                if progress.finished and progress == before and not stage.well.status.lags:
                    return True
                before = progress
            if stage.run.once and time.monotonic() - changed > STALL_SECONDS:
                return True
            await _pause(stop)
    return False


def _stop_on_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _pause(stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            await stop.wait()
    except TimeoutError:
        return


def _say(words: dict[str, object] | dict[str, str]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()
