"""One of several processes of Well that share a database, keys and documents, until it is stopped or killed.

The test that starts it tells it in variables where those are, and reads `connected` when both providers are.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from libs.runtime.clock import SystemClock
from libs.runtime.logs import set_up_logs
from tests.contract.journeys.stage import settings_at
from well.all_in_one import running_well
from well.demo.scene import connect
from well.home import Installation


async def live() -> None:
    """Work for the one workspace."""
    told = os.environ
    workspace = UUID(told["MEMBER_WORKSPACE"])
    settings = replace(
        settings_at(told["MEMBER_XERO"], told["MEMBER_QONTO"], told["MEMBER_DSN"]),
        sign_in="open",
        open_workspace=workspace,
        mcp_consent="auto",
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with running_well(Installation(Path(told["MEMBER_FOLDER"])), settings, SystemClock()) as well:
        await connect(well, workspace)
        sys.stdout.write("connected\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    set_up_logs()
    asyncio.run(live())
