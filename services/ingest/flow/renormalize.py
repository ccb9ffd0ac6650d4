"""Says every record of a workspace anew from the words we have, after the rules of normalising changed.

No provider is asked. The run and how far it has come stand in a row that moves with each batch of events, so a run that
was killed goes on where it stopped, with the ids it would have had.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from libs.contracts.identity import derived_id
from libs.crypto.keyring import Sealer
from libs.database.port import Database
from libs.eventlog.port import EventLog
from libs.runtime.clock import Clock
from services.ingest.flow.normalize import said
from services.ingest.ports import Store

BATCH_RECORDS: Final = 500
"""Records a transaction: as many as a consumer's batch, for the same reason."""


@dataclass(frozen=True)
class Renormalizer:
    """Runs the rules over raw records again."""

    database: Database
    log: EventLog
    store: Store
    sealer: Sealer
    clock: Clock

    async def renormalize(self, workspace: UUID) -> int:
        """Start a run, or go on with the one under way, to its end; gives how many records were said by this call.

        Each record's newest version is said once a run. A reader that has seen a newer version leaves the older one,
        as it does whenever versions meet out of order.
        """
        done = 0
        while said_now := await self._batch(workspace):
            done += said_now
        return done

    async def _batch(self, workspace: UUID) -> int:
        seal = await self.sealer.of(workspace)
        now = self.clock.now()
        async with self.database.transaction(workspace) as tx:
            run, after = await self.store.renormalizings.get(tx) or (derived_id("renormalize", workspace, now), "")
            versions = await self.store.raw.newest_after(tx, after, limit=BATCH_RECORDS)
            if not versions:
                await self.store.renormalizings.end(tx)
                return 0
            await self.store.renormalizings.put(tx, run, versions[-1].record)
            events = [
                said(
                    version,
                    seal,
                    workspace=workspace,
                    cause=run,
                    now=now,
                )
                for version in versions
            ]
            await self.log.append(tx, events)
        return len(versions)
