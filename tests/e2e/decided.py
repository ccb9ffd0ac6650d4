"""First decisions as bytes: what two runs of one company must agree on, whatever carried the events."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

from libs.contracts.events import MatchDecided
from libs.eventlog.port import LogReader
from libs.runtime.clock import SystemClock
from well.all_in_one import running_well
from well.demo.company import Company
from well.demo.scene import connect, lay_out
from well.demo.standins import running_standins
from well.home import Installation
from well.standin_settings import at_standins

DEADLINE_SECONDS = 120.0
"""Seconds for deciding without Kafka; five thousand bills take a tenth of it on a machine that does nothing else."""

READ_AT_ONCE = 2000


async def first_decisions(reader: LogReader, workspace: UUID) -> dict[str, bytes]:
    """By bill, the bytes of its first decision. Later ones answer what happened meanwhile, which is chance."""
    cursor: dict[int, int] = {}
    found: dict[str, bytes] = {}
    while (piece := await reader.read("matcher", cursor, topic="match.decided.v1", limit=READ_AT_ONCE)).through:
        cursor.update(piece.through)
        for raw in piece.deliveries:
            event = (await reader.open(raw)).envelope
            said = event.payload
            if event.workspace == workspace and isinstance(said, MatchDecided) and said.generation == 1:
                found[event.record] = said.model_dump_json().encode()
    return found


async def decided_in_one_process(company: Company, folder: Path, bills: int) -> dict[str, bytes]:
    """The first decisions of a company without Kafka, as soon as there are so many; `folder` is open to Postgres."""
    installation = Installation(folder / "demo")
    installation.make()
    workspace = installation.workspace()
    async with running_standins(installation) as standins:
        await lay_out(company, installation, standins)
        settings = at_standins(standins.xero_url, standins.qonto_url, workspace)
        async with running_well(installation, settings, SystemClock()) as well:
            await connect(well, workspace)
            reader = well.storage.reader
            async with asyncio.timeout(DEADLINE_SECONDS):
                while len(found := await first_decisions(reader, workspace)) < bills:
                    await reader.wait({"matcher": reader.growth("matcher")}, 1.0)
            return found
