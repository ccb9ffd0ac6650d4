"""Decisions, documents and postings to tell stories with."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from libs.contracts.entities import Document
from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.events import DocumentFetched, DocumentMissing, Event, ExpectedFields, MatchDecided
from libs.contracts.identity import derived_id, record_of
from libs.contracts.money import Money
from services.pusher.domain.desk import Desk
from services.pusher.domain.posting import Posting, State

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
WORKSPACE = UUID("5b0a6a54-6a4e-4cb4-b4b7-6d2f1e9f8a01")
BILL = record_of("xero", "bill", "b1")
EXPECTED = ExpectedFields(
    number="INV-2026-100",
    supplier_name="Papeterie Lefèvre",
    issue_date="2026-10-12",
    due_date="2026-11-11",
    total=Money(minor=128400, currency="EUR"),
    total_tax=Money(minor=21400, currency="EUR"),
)


def pdf(content: bytes = b"%PDF-1.7 one") -> Document:
    """A small document of this content."""
    sha256 = hashlib.sha256(content).hexdigest()
    return Document(sha256=sha256, size_bytes=len(content), mime_type="application/pdf", file_name="bill.pdf")


def about(payload: Event, *, record: str = BILL, workspace: UUID = WORKSPACE) -> Envelope:
    """An event as it arrives; the same payload has the same id."""
    cause = derived_id("test", payload.model_dump_json())
    return enveloped(payload, workspace=workspace, record=record, cause=cause, occurred_at=NOW)


def decided(generation: int = 1, verdict: str = "post", *, reason: str = "not_in_qonto") -> MatchDecided:
    """A decision about a bill."""
    return MatchDecided.model_validate(
        {
            "verdict": verdict,
            "reason": reason,
            "sentence": "Qonto does not have it.",
            "generation": generation,
            "bill_sha256": "0" * 64,
            "confidence": 0.9,
            "none_confidence": 0.9,
            "expected": EXPECTED,
            "model": "m1",
            "policy": "p1",
        }
    )


def fetched(generation: int = 1, document: Document | None = None) -> DocumentFetched:
    """The document of a bill."""
    return DocumentFetched(document=document or pdf(), generation=generation)


def missing(generation: int = 1) -> DocumentMissing:
    """A bill without a document."""
    return DocumentMissing(code="no_document", sentence="Xero has no document for this bill.", generation=generation)


def desk(*payloads: Event, postings: tuple[Posting, ...] = ()) -> Desk:
    """A desk on which these events were heard, in order."""
    laid = Desk(WORKSPACE, {}, postings, NOW)
    for payload in payloads:
        laid.hear(about(payload))
    return laid


def posting(state: State = State.INTENDED, *, generation: int = 1, **fields: Any) -> Posting:  # noqa: ANN401 - Posting checks them
    """A posting of the bill in some state."""
    document = fields.pop("document", pdf())
    return Posting(
        fields.pop("id", uuid4()), BILL, generation, state, uuid4(), document=document, expected=EXPECTED, **fields
    )
