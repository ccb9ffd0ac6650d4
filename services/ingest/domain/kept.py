"""What ingest keeps, as values: versions of records, how far each provider was read, documents asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.contracts.identity import Provider, RecordKind
from services.ingest.domain.windows import Window


@dataclass(frozen=True)
class Head:
    """The newest version of a record."""

    version: int
    content_sha256: str


@dataclass(frozen=True)
class RawVersion:
    """One version of a record's words, sealed."""

    record: str
    kind: RecordKind
    version: int
    content_sha256: str
    sealed: bytes
    pulled_at: datetime


@dataclass(frozen=True)
class Pull:
    """How far a provider of a workspace has been read.

    Attributes:
        provider: Whose lists.
        windows: Windows read to their end.
        last_opened_at: When the last of those was opened; None before the first.
        window: The window under way.
        due_at: When there is something to do again.
        failures: Failures in a row.
        sentence: What the last failure said; None when the last step went well.
        pulled: Different words kept so far, by kind.
    """

    provider: Provider
    windows: int
    last_opened_at: datetime | None
    window: Window | None
    due_at: datetime
    failures: int
    sentence: str | None
    pulled: Mapping[RecordKind, int]


def first_pull(provider: Provider, now: datetime) -> Pull:
    """The pull of a provider that was never read."""
    nothing: dict[RecordKind, int] = {"contact": 0, "bill": 0, "supplier_invoice": 0}
    return Pull(provider, 0, None, None, due_at=now, failures=0, sentence=None, pulled=nothing)


@dataclass(frozen=True)
class DocumentJob:
    """A document that a decision asked for.

    Attributes:
        record: The bill.
        generation: Of the decision.
        decision: The id of the decision's event.
        due_at: When it is tried next.
        attempts: Tries so far that did not end it.
    """

    record: str
    generation: int
    decision: UUID
    due_at: datetime
    attempts: int


@dataclass(frozen=True)
class Postponed:
    """A job that could not be done just now, with why and until when."""

    job: DocumentJob
    until: datetime
    sentence: str
