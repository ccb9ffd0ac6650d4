"""`well up`: every service in one process, with real accounts."""

from __future__ import annotations

import asyncio
import os
import signal

from rich.console import Console

from libs.runtime.clock import SystemClock
from well.called import called
from well.home import live


def up() -> None:
    """Run every service in this process, with real accounts, until it is stopped.

    First set XERO_CLIENT_ID, XERO_CLIENT_SECRET, QONTO_CLIENT_ID and QONTO_CLIENT_SECRET.

    Set WELL_DATABASE_URL for a Postgres of your own, and QONTO_STAGING_TOKEN for Qonto's sandbox.

    Then connect both with `well connect xero` and `well connect qonto`.
    """
    asyncio.run(_run())


async def _run() -> None:
    from well.all_in_one import running_well
    from well.settings import from_environment

    installation, console, stop = live(), Console(), asyncio.Event()
    installation.prepare()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with installation.locked():
        settings = from_environment(os.environ, f"http://localhost:{installation.port('front')}")
        installation.make()
        async with running_well(installation, settings, SystemClock()) as well:
            installation.remember(url=well.url)
            console.print(f"Well is up; Ctrl-C ends it. How it stands: {well.url}/status", soft_wrap=True)
            console.print(f"In a second terminal: [cyan]{called()} connect xero[/], [cyan]{called()} connect qonto[/]")
            await stop.wait()
