"""What a person at a terminal sees of the queue, a bill and a trail, at two widths."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from rich.console import Console, RenderableType

from libs.contracts.entities import Bill
from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.events import (
    Candidate,
    Event,
    EvidenceLine,
    PostIntended,
    PostSent,
    PostSettled,
    PostUnknown,
    RecordPulled,
)
from libs.contracts.money import Money
from services.console.domain.view import BillView, Decision
from well.commands.review import _page, _queue
from well.commands.trail import _trail

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WORKSPACE = UUID("3b0c9a52-6d1e-4f7a-9c58-2f4b7e1a8d60")
RECORD = "xero/bill/8f2d6c14-5a3b-4c0e-9e71-0b6a4d2f8c35"
INVOICE = "0195a1d7-3c2e-7b54-a0f1-6f8e9d2c4b10"
REASON = "Two supplier invoices are about equally likely."

both_widths = pytest.mark.parametrize("columns", [80, 120])


def _screen(shown: RenderableType, columns: int) -> str:
    console = Console(file=io.StringIO(), width=columns, color_system=None, force_terminal=False)
    with console.capture() as captured:
        console.print(shown)
    text = captured.get()
    assert max(map(len, text.splitlines())) <= columns
    return text


def _row(text: str, *words: str) -> str:
    [row] = [line for line in text.splitlines() if all(word in line for word in words)]
    return row


def _waiting(number: str = "FA-2026-0117", supplier: str = "Papeterie Lefèvre SARL", why: str = REASON) -> BillView:
    evidence = (
        EvidenceLine(field="prior", level="any", bits=-14),
        EvidenceLine(field="amount", level="same", bits=10, ours="EUR 1,284.00", theirs="EUR 1,284.00"),
        EvidenceLine(field="date", level="within_week", bits=0, ours="2026-02-26", theirs="2026-02-19"),
    )
    decision = Decision(
        id=UUID(int=1),
        generation=1,
        verdict="review",
        reason="rivals_too_close",
        sentence=why,
        confidence=0.62,
        none_confidence=0.02,
        chosen=(),
        candidates=(Candidate(invoice_id=INVOICE, confidence=0.62, evidence=evidence),),
    )
    bill = Bill(
        bill_id=RECORD.rsplit("/", 1)[-1],
        type="ACCPAY",
        status="AUTHORISED",
        number=number,
        supplier_name=supplier,
        issue_date=date(2026, 2, 26),
        due_date=date(2026, 3, 28),
        total=Money(minor=128_400, currency="EUR"),
        total_tax=Money(minor=21_400, currency="EUR"),
    )
    return BillView(record=RECORD, bill=bill, version=1, decision=decision, changed_at=NOON)


@both_widths
def test_the_queue_shows_each_bill_on_one_line_under_its_reason(columns: int) -> None:
    why = "This is the first bill of its supplier."
    text = _screen(_queue([_waiting(), _waiting("R 17", why=why), _waiting("R 18", why=why)], 3), columns)
    assert [text.count(reason) for reason in (REASON, why)] == [1, 1]
    assert text.index(REASON) < text.index("FA-2026-0117") < text.index(why) < text.index("R 17")
    assert "EUR 1,284.00" in _row(text, "FA-2026-0117")
    assert "well review show BILL" in text
    assert "more wait" not in text


def test_a_long_name_takes_no_room_from_the_total() -> None:
    text = _screen(_queue([_waiting(supplier="Société générale de papeterie et de fournitures de bureau")], 1), 120)
    assert "EUR 1,284.00" in _row(text, "FA-2026-0117", "2026-02-26", "Société")


def test_a_wide_queue_says_how_likely_the_best_candidate_is() -> None:
    assert "likeliest 62%" in _row(_screen(_queue([_waiting()], 1), 120), "FA-2026-0117")


def test_a_bill_that_lacks_everything_is_still_a_line() -> None:
    bare = BillView(record=RECORD, changed_at=NOON, note="Its words cannot be read.")
    row = _row(_screen(_queue([bare], 1), 120), "unknown")
    assert "no date" in row
    assert "no total" in row


@both_widths
def test_the_queue_counts_what_it_does_not_show(columns: int) -> None:
    assert "1,233 more wait; see them with --limit." in _screen(_queue([_waiting()], 1234), columns)


@both_widths
def test_an_empty_queue_says_so(columns: int) -> None:
    assert "Nothing waits for you." in _screen(_queue([], 0), columns)


@both_widths
def test_a_bill_shows_its_candidates_with_the_evidence_for_each(columns: int) -> None:
    text = _screen(_page(_waiting()), columns)
    assert "FA-2026-0117" in text.splitlines()[0]
    assert "Papeterie Lefèvre SARL" in _row(text, "supplier  ")
    assert "EUR 1,284.00, EUR 214.00" in _row(text, "total, tax")
    assert "62.0%" in _row(text, INVOICE)
    assert "+10.0" in _row(text, "amount", "same", "EUR 1,284.00")
    assert "2026-02-19" in _row(text, "within week")
    assert "-14.0" in _row(text, "prior")
    assert "Qonto does not have it: 2.0%" in text
    assert REASON in text


@both_widths
def test_a_bill_shows_where_its_posting_stands(columns: int) -> None:
    posted = _waiting().model_copy(update={"posting": "verified", "invoice_id": INVOICE})
    assert "posting verified" in _screen(_page(posted), columns)


def _event(payload: Event, seconds: float, cause: UUID) -> Envelope:
    occurred_at = NOON + timedelta(seconds=seconds)
    return enveloped(payload, workspace=WORKSPACE, record=RECORD, cause=cause, occurred_at=occurred_at)


def _story() -> list[Envelope]:
    posting, cause = UUID(int=2), UUID(int=3)
    return [
        _event(RecordPulled(provider="xero", kind="bill", content_sha256="0" * 64, version=2), 0.0425, cause),
        _event(PostIntended(posting=posting, document_sha256="0" * 64, file_name="R-17.pdf", generation=1), 1, cause),
        _event(PostSent(posting=posting, attempt=1), 2, cause),
        _event(PostUnknown(posting=posting, sentence="No answer came; we look first."), 3, cause),
        _event(PostSettled(posting=posting, invoice_id=INVOICE, attachment_id=None, found="look"), 4, cause),
    ]


def test_a_trail_tells_when_who_what_and_why_on_one_line_each() -> None:
    text = _screen(_trail(_story()), 120)
    assert text.splitlines()[0] == RECORD
    assert "Version 2 arrived from Xero." in _row(text, "2026-03-02 12:00:00.042", "RecordPulled")
    assert "To be posted once, as R-17.pdf." in _row(text, "PostIntended")
    assert "No answer came; we look first." in _row(text, "2026-03-02 12:00:03.000", "PostUnknown")
    assert "found by looking" in text


def test_a_narrow_trail_keeps_its_order_and_every_type() -> None:
    text = _screen(_trail(_story()), 80)
    places = [text.index(event.payload.type) for event in _story()]
    assert places == sorted(places)
    assert "2026-03-02 12:00:04.000" in text
