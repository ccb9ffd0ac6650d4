"""What a live view shows of ingest: counts and states, from the store alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.contracts.identity import Provider, RecordKind
from libs.database.port import Database
from services.ingest.domain.kept import Pull
from services.ingest.ports import Store


@dataclass(frozen=True)
class PullStatus:
    """One provider of a workspace.

    Attributes:
        windows: Windows read to their end.
        reading: The list and page asked for next while a window is under way; None between windows.
        due_at: When there is something to do again.
        failures: Failures in a row; 0 when the last step went well.
        sentence: What the last failure said.
        pulled: Versions kept so far, by kind.
    """

    windows: int
    reading: tuple[RecordKind, int] | None
    due_at: datetime
    failures: int
    sentence: str | None
    pulled: Mapping[RecordKind, int]


@dataclass(frozen=True)
class IngestStatus:
    """A workspace. `documents` counts jobs by state: waiting, done, missing, cancelled."""

    pulls: Mapping[Provider, PullStatus]
    documents: Mapping[str, int]


async def status(database: Database, store: Store, workspace: UUID) -> IngestStatus:
    """How ingest stands for a workspace."""
    async with database.transaction(workspace) as tx:
        pulls = await store.pulls.all(tx)
        documents = await store.jobs.counts(tx)
    return IngestStatus({pull.provider: _shown(pull) for pull in pulls}, dict(documents))


def _shown(pull: Pull) -> PullStatus:
    reading = (pull.window.kind, pull.window.page) if pull.window else None
    return PullStatus(pull.windows, reading, pull.due_at, pull.failures, pull.sentence, pull.pulled)
