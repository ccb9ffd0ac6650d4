"""Job `ingest.fetch`: brings the documents that decisions asked for.

A round of one workspace:

1. Take some jobs that are due, and put them off by the lease, so that no other process takes them meanwhile.
2. For each, a few at once and outside any transaction: list the bill's attachments, choose one, download it, look
   whether it is sound, and keep it in the blob store, which is addressed by content and so takes it twice unharmed.
3. In one transaction: end the jobs that still wait at their generation, and append `DocumentFetched` or
   `DocumentMissing` for exactly those.

A process killed before 3 has said nothing; after the lease another takes the same jobs. What a provider could not do
just now is tried again after a growing pause, at most four times an hour, for as long as it takes: that a provider is
down does not make a bill one without a document. How many wait is seen in the status.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias
from uuid import UUID

from libs.blobs.port import BlobStore
from libs.contracts.entities import NAME_MAX, Document
from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.errors import ConsentLost, Malformed, Rejected, Transient
from libs.contracts.events import DocumentFetched, DocumentMissing
from libs.contracts.identity import provider_id_of
from libs.database.port import Database
from libs.eventlog.port import EventLog
from libs.runtime.clock import Clock
from libs.runtime.rounds import Rounds
from services.ingest.domain.attachments import REFUSED_DOWNLOADS, Missing, chosen, sound_type
from services.ingest.domain.kept import DocumentJob, Postponed
from services.ingest.domain.patience import LONGEST_PAUSE_SECONDS, pause_seconds
from services.ingest.ports import DocumentJobs, XeroReader

CHECKED_IN_THREAD_BYTES: Final = 1024 * 1024
"""Bytes. Opening a smaller PDF takes a few milliseconds, which is less than handing it to a thread is worth."""

Outcome: TypeAlias = Document | Missing | Postponed


@dataclass(frozen=True)
class Fetcher:
    """Fetches documents for every workspace that is connected to Xero.

    Attributes:
        rounds: Over the workspaces that are connected to Xero.
        at_once: Documents fetched side by side.
        taken_jobs: Jobs taken in one round.
        lease_seconds: How long a taken job is left to this process.
    """

    xero: XeroReader
    blobs: BlobStore
    database: Database
    log: EventLog
    jobs: DocumentJobs
    rounds: Rounds
    clock: Clock
    at_once: int
    taken_jobs: int
    lease_seconds: float

    async def step(self) -> int:
        """A round of every workspace; gives how many jobs ended."""
        return await self.rounds.go(self._round)

    async def _round(self, workspace: UUID) -> int:
        now = self.clock.now()
        until = now + timedelta(seconds=self.lease_seconds)
        async with self.database.transaction(workspace) as tx:
            jobs = await self.jobs.take(tx, now=now, until=until, limit=self.taken_jobs)
        if not jobs:
            return 0
        free = asyncio.Semaphore(self.at_once)
        async with asyncio.TaskGroup() as fetching:
            tasks = [fetching.create_task(self._outcome(workspace, job, free)) for job in jobs]
        return await self._settle(workspace, [(job, task.result()) for job, task in zip(jobs, tasks, strict=True)])

    async def _outcome(self, workspace: UUID, job: DocumentJob, free: asyncio.Semaphore) -> Outcome:
        async with free:
            try:
                return await self._fetched(workspace, provider_id_of(job.record))
            except Transient as error:
                pause = pause_seconds(job.attempts + 1, asked_seconds=error.retry_after_seconds)
                return self._later(job, pause, error.sentence)
            except (ConsentLost, Malformed) as error:  # an answer that cannot be read passes, as a proxy's page does
                return self._later(job, pause_seconds(job.attempts + 1), error.sentence)
            except Rejected as error:
                later = self._later(job, LONGEST_PAUSE_SECONDS, error.sentence)
                return REFUSED_DOWNLOADS.get(error.code, later)

    async def _fetched(self, workspace: UUID, bill_id: str) -> Document | Missing:
        choice = chosen(await self.xero.attachments(workspace, bill_id))
        if isinstance(choice, Missing):
            return choice
        file = await self.xero.attached_file(workspace, bill_id, choice.attachment_id)
        mime_type = await _sound_type(file.content)
        if isinstance(mime_type, Missing):
            return mime_type
        sha256 = await self.blobs.put(workspace, file.content)
        name = (file.file_name or choice.file_name)[:NAME_MAX]
        return Document(sha256=sha256, size_bytes=len(file.content), mime_type=mime_type, file_name=name)

    def _later(self, job: DocumentJob, seconds: float, sentence: str) -> Postponed:
        return Postponed(job, self.clock.now() + timedelta(seconds=seconds), sentence)

    async def _settle(self, workspace: UUID, outcomes: Sequence[tuple[DocumentJob, Outcome]]) -> int:
        done = [job for job, outcome in outcomes if isinstance(outcome, Document)]
        missing = [job for job, outcome in outcomes if isinstance(outcome, Missing)]
        postponed = [outcome for _, outcome in outcomes if isinstance(outcome, Postponed)]
        async with self.database.transaction(workspace) as tx:
            ended = await self.jobs.finish(tx, done, missing) if done or missing else frozenset()
            if postponed:
                await self.jobs.postpone(tx, postponed)
            events = [self._said(workspace, job, outcome) for job, outcome in outcomes if job.record in ended]
            await self.log.append(tx, [event for event in events if event is not None])
        return len(ended)

    def _said(self, workspace: UUID, job: DocumentJob, outcome: Outcome) -> Envelope | None:
        if isinstance(outcome, Postponed):
            return None
        payload = (
            DocumentFetched(document=outcome, generation=job.generation)
            if isinstance(outcome, Document)
            else DocumentMissing(code=outcome.code, sentence=outcome.sentence, generation=job.generation)
        )
        now = self.clock.now()
        return enveloped(payload, workspace=workspace, record=job.record, cause=job.decision, occurred_at=now)


async def _sound_type(content: bytes) -> str | Missing:
    if len(content) > CHECKED_IN_THREAD_BYTES:
        return await asyncio.to_thread(sound_type, content)
    return sound_type(content)
