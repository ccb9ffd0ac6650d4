"""What a person at a terminal sees of the queue, a bill and a trail, at two widths."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from rich.console import Console, RenderableType

from libs.contracts.entities import Bill
from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.events import (
    Candidate,
    EntityNormalized,
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
from well.commands.bill_screens import Queue, bill_page
from well.commands.trail import _trail
from well.demo.closing import closing_words
from well.demo.live_view import LiveView
from well.demo.progress import Progress
from well.demo.summary import Summary

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


def _bill(number: str = "FA-2026-0117", supplier: str = "Papeterie Lefèvre SARL") -> Bill:
    return Bill(
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
    return BillView(record=RECORD, bill=_bill(number, supplier), version=1, decision=decision, changed_at=NOON)


@both_widths
def test_the_queue_shows_each_bill_on_one_line_under_its_reason(columns: int) -> None:
    why = "This is the first bill of its supplier."
    text = _screen(Queue([_waiting(), _waiting("R 17", why=why), _waiting("R 18", why=why)], 3, "well"), columns)
    assert [text.count(reason) for reason in (REASON, why)] == [1, 1]
    assert text.index(REASON) < text.index("FA-2026-0117") < text.index(why) < text.index("R 17")
    assert "EUR 1,284.00" in _row(text, "FA-2026-0117")
    assert "review show BILL" in text
    assert "more wait" not in text


def test_a_long_name_takes_no_room_from_the_total() -> None:
    text = _screen(
        Queue([_waiting(supplier="Société générale de papeterie et de fournitures de bureau")], 1, "well"), 120
    )
    assert "EUR 1,284.00" in _row(text, "FA-2026-0117", "2026-02-26", "Société")


@both_widths
def test_the_queue_says_how_likely_the_best_candidate_is(columns: int) -> None:
    assert _row(_screen(Queue([_waiting()], 1, "well"), columns), "FA-2026-0117").endswith("62% likely")


@both_widths
def test_totals_stand_below_each_other_whatever_the_reason_above_them(columns: int) -> None:
    views = [_waiting(), _waiting("R 17", "Bo", why="This is the first bill of its supplier.")]
    text = _screen(Queue(views, 2, "well"), columns)
    assert _row(text, "FA-2026-0117").index("EUR 1,284.00") == _row(text, "R 17").index("EUR 1,284.00")


@both_widths
def test_what_customers_write_is_shown_as_they_wrote_it(columns: int) -> None:
    supplier, number = "Bau [/] Söhne [red]", "[1] R/17"
    view = _waiting(number, supplier)
    assert supplier in _row(_screen(Queue([view], 1, "well"), columns), number)
    page = _screen(bill_page(view, "well"), columns)
    assert number in page.splitlines()[0]
    assert supplier in _row(page, "supplier  ")


def test_a_bill_that_lacks_everything_is_still_a_line() -> None:
    bare = BillView(record=RECORD, changed_at=NOON, note="Its words cannot be read.")
    row = _row(_screen(Queue([bare], 1, "well"), 80), "unknown")
    assert "no date" in row
    assert "no total" in row


@both_widths
def test_the_queue_counts_what_it_does_not_show(columns: int) -> None:
    assert "1,233 more wait; see them with --limit." in _screen(Queue([_waiting()], 1234, "well"), columns)


@both_widths
def test_an_empty_queue_says_so(columns: int) -> None:
    assert "Nothing waits for you." in _screen(Queue([], 0, "well"), columns)


@both_widths
def test_a_bill_shows_its_candidates_with_the_evidence_for_each(columns: int) -> None:
    text = _screen(bill_page(_waiting(), "well"), columns)
    assert "FA-2026-0117" in text.splitlines()[0]
    assert "Papeterie Lefèvre SARL" in _row(text, "supplier  ")
    assert "EUR 1,284.00, EUR 214.00" in _row(text, "total, tax")
    assert "62.0%" in _row(text, INVOICE)
    assert "+10.0" in _row(text, "amount", "same", "EUR 1,284.00")
    assert "2026-02-19" in _row(text, "within week")
    assert "-14.0" in _row(text, "prior")
    assert "Qonto does not have it: 2.0%" in text
    assert REASON in text
    assert "it is this one" in _row(text, "review approve FA-2026-0117 --link-to 0195a1d7")
    assert "leave it alone" in _row(text, "review reject FA-2026-0117")


@both_widths
def test_a_bill_shows_where_its_posting_stands(columns: int) -> None:
    posted = _waiting().model_copy(update={"posting": "verified", "invoice_id": INVOICE})
    assert "posting verified" in _screen(bill_page(posted, "well"), columns)


def test_a_bill_that_waits_for_nobody_offers_no_answers() -> None:
    assert "review reject" not in _screen(bill_page(_waiting().model_copy(update={"answered": 1}), "well"), 80)


def _event(payload: Event, seconds: float, cause: UUID) -> Envelope:
    occurred_at = NOON + timedelta(seconds=seconds)
    return enveloped(payload, workspace=WORKSPACE, record=RECORD, cause=cause, occurred_at=occurred_at)


def _story() -> list[Envelope]:
    posting, cause = UUID(int=2), UUID(int=3)
    return [
        _event(RecordPulled(provider="xero", kind="bill", content_sha256="0" * 64, version=2), 0.0425, cause),
        _event(EntityNormalized(entity=_bill(), content_sha256="0" * 64, version=2), 0.5, cause),
        _event(PostIntended(posting=posting, document_sha256="0" * 64, file_name="R-17.pdf", generation=1), 1, cause),
        _event(PostSent(posting=posting, attempt=1), 2, cause),
        _event(PostUnknown(posting=posting, sentence="No answer came; we look first."), 3, cause),
        _event(PostSettled(posting=posting, invoice_id=INVOICE, attachment_id=None, found="look"), 43_200, cause),
    ]


@both_widths
def test_a_trail_tells_when_who_what_and_why_in_order(columns: int) -> None:
    story = _story()
    text = _screen(_trail(story), columns)
    assert text.splitlines()[:2] == ["FA-2026-0117, Papeterie Lefèvre SARL, EUR 1,284.00", RECORD]
    assert text.count("2026-03-02") == text.count("2026-03-03") == 1
    assert "Version 2 arrived from Xero." in _row(text, "12:00:00.042", "ingest", "RecordPulled")
    assert "To be posted once, as R-17.pdf." in _row(text, "pusher", "PostIntended")
    assert "No answer came; we look first." in _row(text, "12:00:03.000", "PostUnknown")
    assert text.index("2026-03-03") < text.index("00:00:00.000")
    places = [text.index(event.payload.type) for event in story]
    assert places == sorted(places)


def test_a_trail_of_a_record_that_is_no_bill_has_its_name() -> None:
    assert _screen(_trail(_story()[:1]), 80).splitlines()[0] == RECORD


def _figures(**others: float) -> Summary:
    whole = dict.fromkeys(Summary.model_fields, 0) | {"bills": 12_345, "decided": 12_345, "linked": 12_000, "review": 3}
    return Summary.model_validate(whole | others)


@both_widths
def test_the_end_tells_what_happened_and_what_to_type_next(columns: int) -> None:
    addresses = {"status": "http://localhost:45585/status", "xero_standin": "http://127.0.0.1:40973"}
    text = _screen(closing_words(_figures(seconds=64.2), addresses, well="well", once=False), columns)
    assert "all decided; 64.2 s" in _row(text, "12,345")
    assert "0 posted twice   0 lost   0 wrong links" in text
    assert "what waits for you" in _row(text, "review list")
    assert "Ctrl-C" in _row(text, addresses["status"])
    assert "posted once" not in text


@pytest.mark.parametrize("flaw", ["lost", "posted_twice", "wrong_links"])
def test_an_end_that_is_not_as_it_should_be_says_so(flaw: str) -> None:
    text = _screen(closing_words(_figures(decided=12_344, **{flaw: 1}), {}, well="well", once=True), 80)
    assert "Done" not in text
    assert "Not as it should be" in text.splitlines()[0]
    assert "12,344 decided" in text


def _counts(decided: int) -> Progress:
    return Progress(
        records=50_000,
        contacts=1_200,
        bills=50_000,
        invoices=30_000,
        verdicts={"link": decided, "post": 12_000, "ineligible": 800},
        due=0,
        documents={"done": 4_000},
        postings={"verified": 3_500, "sent": 8},
        waits=1_234,
        xero="active",
        qonto="active",
        sentence="Qonto does not answer; it is asked again.",
    )


@both_widths
def test_the_live_view_keeps_its_lines_with_large_counts(columns: int) -> None:
    view = LiveView("Well · a made-up company")
    first, later = (_screen(view.look(now, _counts(round(now * 1000))), columns) for now in (1.0, 3.0))
    assert len(first.splitlines()) == len(later.splitlines())
    assert later.splitlines()[0].strip("╭╮─ ") == "Well · a made-up company"
    assert "1,000" in _row(later, "Bills decided", "15,800", "50,000")
    names, counts = _row(later, "linked", "waiting for a person"), _row(later, "1,234")
    assert names.index("waiting for a person") == counts.index("1,234")
    assert "Qonto does not answer; it is asked again." in later


def test_the_live_view_never_tells_of_more_done_than_there_is() -> None:
    """A person takes back what was to be posted, after it was fetched and refused."""
    now = replace(_counts(1), verdicts={"post": 3}, documents={"done": 4}, postings={"rejected": 4})
    text = _screen(LiveView("Well").look(1.0, now), 80)
    assert _row(text, "Documents fetched").split()[-4:-1] == _row(text, "Posted and").split()[-4:-1] == ["4", "4", "·"]
