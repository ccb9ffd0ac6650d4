"""A pusher in a process of its own, which a test may kill: hears its bills, posts them, reads them back, and ends.

`WELL_CRASH_AT` names where it dies; the other variables say where its rows and its Qonto are.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from uuid import UUID

from libs.blobs.memory import MemoryBlobs
from libs.contracts.envelope import Envelope
from libs.contracts.events import Event
from libs.contracts.identity import KeyPurpose
from libs.crypto.lent import LentToken
from libs.crypto.seal import DataKey, WorkspaceKeys
from libs.database.postgres import PostgresDatabase, open_database, open_pool
from libs.database.roles import RELAY
from libs.eventlog.port import Consumed, Delivery, Position
from libs.eventlog.postgres import PostgresEventLog
from libs.qonto.client import QontoClient
from libs.runtime.clock import SystemClock
from libs.runtime.crashpoints import arm_from_environment
from services.pusher.config import PusherConfig
from services.pusher.domain.posting import State
from services.pusher.domain.retrying import ReadingRule, RetryRule
from services.pusher.main import PusherService, build
from tests.support.keys import sealer_over
from tests.support.until import until
from tests.support.web import web_client
from tests.unit.pusher.stories import NOW, about, decided, fetched, pdf

BILLS = int(os.environ["MORTAL_BILLS"])

CONFIG = PusherConfig(
    retry=RetryRule(request_seconds=1, lease_seconds=1.5, running_seconds=1.5, first_pause_seconds=0.2),
    reading=ReadingRule(lease_seconds=1, first_pause_seconds=0.1),
)
"""Times in which a test can wait for a dead pusher's lease."""


class Connected:
    """Keys, tokens and workspaces, as auth would give them: always the same."""

    def __init__(self) -> None:
        self.workspace = UUID(os.environ["MORTAL_WORKSPACE"])
        self._token = os.environ["MORTAL_TOKEN"]

    async def keys(self, workspace: UUID, purpose: KeyPurpose) -> WorkspaceKeys:
        """One key for ever, since the next process must open what this one sealed."""
        assert purpose == "payloads"
        key = DataKey(UUID(int=1), bytes(32))
        return WorkspaceKeys(workspace, key, {key.id: key}, bytes(32))

    async def lend(self, borrower: str, workspace: UUID, provider: str) -> LentToken:
        """The one token."""
        assert (borrower, workspace, provider) == ("pusher", self.workspace, "qonto")
        return LentToken(self._token, "org", NOW)

    async def refused(self, workspace: UUID, provider: str, secret: str) -> None:
        """It never is."""
        raise AssertionError(f"{provider} refused {len(secret)} characters of {workspace}")

    async def connected(self, provider: str) -> list[UUID]:
        """The one is connected."""
        assert provider == "qonto"
        return [self.workspace]


async def hear(pusher: PusherService, database: PostgresDatabase, log: PostgresEventLog, document: bytes) -> None:
    """Give the pusher the halves of its bills as the bus does: with positions, so that each is heard once."""
    (intend,) = pusher.subscriptions
    workspace = UUID(os.environ["MORTAL_WORKSPACE"])
    for number in range(1, BILLS + 1):
        halves: dict[str, Event] = {"matcher": decided(), "ingest": fetched(document=pdf(document))}
        for source, payload in halves.items():
            event: Envelope = about(payload, record=f"xero/bill/{number}", workspace=workspace)
            delivery = Delivery(Position(f"{source}/{number}", event.topic, event.bucket, 1), event)
            async with database.transaction(workspace) as tx:
                unseen = await log.unseen(tx, intend.group, [delivery])
                events = await intend.handler(tx, unseen)
                await log.append(tx, events, consumed=Consumed(intend.group, (delivery.position,)))


async def live() -> None:
    """Post every bill, unless killed."""
    connected = Connected()
    sealer, blobs = sealer_over(connected), MemoryBlobs()
    document = Path(os.environ["MORTAL_DOCUMENT"]).read_bytes()  # noqa: ASYNC240 - before anything else runs
    await blobs.put(connected.workspace, document)
    database = await open_database(os.environ["MORTAL_DSN"], role="well_pusher")
    carrying = await open_pool(os.environ["MORTAL_DSN"], role=RELAY, connections=1)
    log = PostgresEventLog("pusher", sealer)
    async with web_client() as http:
        pusher = build(
            database=database,
            log=log,
            sealer=sealer,
            clock=SystemClock(),
            blobs=blobs,
            client=QontoClient(http, os.environ["MORTAL_QONTO"]),
            lender=connected,
            workspaces=connected,
            carrying=carrying,
            config=CONFIG,
        )
        await hear(pusher, database, log, document)

        async def all_verified() -> bool:
            for worker in pusher.workers:
                await worker.step()
            return (await pusher.counts(connected.workspace))[State.VERIFIED] == BILLS

        await until(all_verified, deadline_seconds=30)
    await database.close()
    await carrying.close()


if __name__ == "__main__":
    arm_from_environment()
    asyncio.run(live())
