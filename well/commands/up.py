"""`well up`: every service in one process, with real accounts."""

from __future__ import annotations

import asyncio
import os
import signal

from rich.console import Console

from libs.runtime.clock import SystemClock
from well.home import live


def up() -> None:
    """Run every service in this process, with real accounts, until it is stopped.

    Set XERO_CLIENT_ID, XERO_CLIENT_SECRET, QONTO_CLIENT_ID and QONTO_CLIENT_SECRET first; WELL_DATABASE_URL for a
    Postgres of your own; QONTO_STAGING_TOKEN for Qonto's sandbox. Then connect both with `well connect`.
    """
    asyncio.run(_run())


async def _run() -> None:
    from well.all_in_one import running_well
    from well.settings import from_environment

    settings, installation, console = from_environment(os.environ), live(), Console()
    installation.make()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with installation.locked():
        async with running_well(installation, settings, SystemClock()) as well:
            installation.remember(url=well.url)
            console.print(f"Well is up. How it stands: {well.url}/status")
            console.print("Connect with: [cyan]well connect xero[/] and [cyan]well connect qonto[/]")
            await stop.wait()
