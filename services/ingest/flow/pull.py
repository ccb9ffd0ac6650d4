"""Reads what a provider changed, page by page, and remembers the page with what it brought.

A step takes each workspace one page further:

1. Look whether its pull is due, and plan the page (domain/windows.py). Nothing is written.
2. Ask the provider for the page, outside any transaction.
3. In one transaction: hold the pull and leave it if another process has moved it; keep the words that changed, append
   a `RecordPulled` for each; move the pull to the next page, or at the window's end append its 64 barriers and set
   when the next window is due.

A process killed between 2 and 3 asks for the same page again, which costs one call; after 3 it goes on with the next.
One workspace's provider that fails puts off that workspace's pull and nobody else's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.errors import ConsentLost, Malformed, Rejected, Transient
from libs.contracts.events import WindowPulled
from libs.contracts.identity import BUCKETS, Provider, derived_id, record_in_bucket
from libs.crypto.keyring import Sealer
from libs.crypto.seal import WorkspaceSeal
from libs.database.port import Database, Transaction
from libs.eventlog.port import EventLog
from libs.runtime.clock import Clock
from libs.runtime.rounds import Rounds
from services.ingest.domain.kept import Pull
from services.ingest.domain.patience import is_due, longest_wait_seconds, pause_seconds
from services.ingest.domain.windows import Closed, Window, after_page, check_page_count, opened
from services.ingest.flow.keeping import keep, words_of
from services.ingest.ports import Page, Reader, Store


@dataclass(frozen=True)
class Puller:
    """Reads one provider for every workspace that is connected to it.

    Attributes:
        rounds: Over the workspaces that are connected to the provider.
        poll_seconds: Between the openings of two windows.
        overlap_seconds: How far a window reaches back behind the last one.
    """

    provider: Provider
    reader: Reader
    database: Database
    log: EventLog
    store: Store
    sealer: Sealer
    rounds: Rounds
    clock: Clock
    poll_seconds: float
    overlap_seconds: float

    async def step(self) -> int:
        """Take every workspace whose pull is due one page further; gives how many pages were kept."""
        return await self.rounds.go(self._advance)

    async def hurry(self, workspace: UUID) -> None:
        """Let a pull that waits after a failure go on at once, since what failed was mended."""
        now = self.clock.now()
        async with self.database.transaction(workspace) as tx:
            pull = await self.store.pulls.held(tx, self.provider, now=now)
            if pull.failures:
                await self.store.pulls.put(tx, replace(pull, due_at=now, failures=0, sentence=None))

    async def _advance(self, workspace: UUID) -> int:
        now = self.clock.now()
        async with self.database.transaction(workspace) as tx:
            seen = {pull.provider: pull for pull in await self.store.pulls.all(tx)}
            pull = seen.get(self.provider) or await self.store.pulls.held(tx, self.provider, now=now)
        if not is_due(pull.due_at, now, longest_seconds=longest_wait_seconds(self.poll_seconds)):
            return 0
        window = pull.window or self._opened(pull, now)
        try:
            seal = await self.sealer.of(workspace)
            page = await self.reader.records(workspace, window.kind, page=window.page, since=window.since)
            check_page_count(page.page_count)
        except (Transient, ConsentLost, Rejected, Malformed) as error:
            await self._postpone(workspace, pull, error)
            return 0
        return await self._keep(seal, workspace, pull, window, page)

    def _opened(self, pull: Pull, now: datetime) -> Window:
        return opened(
            self.provider,
            pull.last_opened_at,
            number=pull.windows + 1,
            now=now,
            overlap_seconds=self.overlap_seconds,
        )

    async def _keep(self, seal: WorkspaceSeal, workspace: UUID, pull: Pull, window: Window, page: Page) -> int:
        words = [words_of(self.provider, window.kind, record) for record in page.records]
        now = self.clock.now()
        async with self.database.transaction(workspace) as tx:
            if await self.store.pulls.held(tx, self.provider, now=now) != pull:
                return 0
            events = await keep(tx, self.store.raw, seal, words, provider=self.provider, kind=window.kind, now=now)
            following = after_page(self.provider, window, page_count=page.page_count, changed=len(events))
            pulled = {**pull.pulled, window.kind: pull.pulled[window.kind] + len(events)}
            kept = replace(pull, due_at=now, failures=0, sentence=None, pulled=pulled)
            if isinstance(following, Closed):
                kept = self._after(kept, following.window)
                events += self._barriers(tx, following, now)
            else:
                kept = replace(kept, window=following)
            await self.store.pulls.put(tx, kept)
            await self.log.append(tx, events)
        return 1

    def _after(self, pull: Pull, window: Window) -> Pull:
        due_at = window.opened_at + timedelta(seconds=self.poll_seconds)
        return replace(pull, windows=window.number, last_opened_at=window.opened_at, window=None, due_at=due_at)

    def _barriers(self, tx: Transaction, closed: Closed, now: datetime) -> list[Envelope]:
        if not closed.announced:
            return []
        window = f"{self.provider}/{closed.window.number}"
        cause = derived_id("window", tx.workspace, window)
        return [
            enveloped(
                WindowPulled(provider=self.provider, window=window, through=closed.window.opened_at, bucket=bucket),
                workspace=tx.workspace,
                record=record_in_bucket(tx.workspace, f"window/{window}", bucket),
                cause=cause,
                occurred_at=now,
            )
            for bucket in range(BUCKETS)
        ]

    async def _postpone(
        self, workspace: UUID, pull: Pull, error: Transient | ConsentLost | Rejected | Malformed
    ) -> None:
        """Put a pull off; what it asked for is asked for again."""
        asked = error.retry_after_seconds if isinstance(error, Transient) else None
        pause = pause_seconds(pull.failures + 1, asked_seconds=asked)
        now = self.clock.now()
        async with self.database.transaction(workspace) as tx:
            if await self.store.pulls.held(tx, self.provider, now=now) != pull:
                return
            due_at = now + timedelta(seconds=pause)
            put_off = replace(pull, due_at=due_at, failures=pull.failures + 1, sentence=error.sentence)
            await self.store.pulls.put(tx, put_off)
