"""The view of a bill is the same however the logs that tell of it are interleaved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import reduce
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.entities import Bill
from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.errors import Rejected
from libs.contracts.events import (
    Candidate,
    EntityNormalized,
    Event,
    FieldDifference,
    MatchDecided,
    PostDiffers,
    PostIntended,
    PostRejected,
    PostSent,
    PostSettled,
    PostUnchecked,
    Verdict,
)
from libs.contracts.identity import record_of
from services.console.domain.answer import signed_off
from services.console.domain.view import SIGNED_OFF, BillView, seen

_WORKSPACE, _POSTING = uuid4(), uuid4()
_RECORD = record_of("xero", "bill", "b1")
_START = datetime(2026, 11, 2, 8, tzinfo=UTC)


def _decided(
    generation: int,
    verdict: Verdict = "review",
    candidates: tuple[str, ...] = ("q1",),
    reason: str = "two_rivals",
) -> MatchDecided:
    return MatchDecided(
        verdict=verdict,
        reason=reason,
        sentence=f"Decision {generation}.",
        generation=generation,
        bill_sha256="0" * 64,
        confidence=0.6,
        none_confidence=0.4,
        candidates=tuple(Candidate(invoice_id=name, confidence=0.6, evidence=()) for name in candidates),
        model="m",
        policy="p",
    )


def _at(minute: int, payload: Event) -> Envelope:
    return enveloped(
        payload, workspace=_WORKSPACE, record=_RECORD, cause=uuid4(), occurred_at=_START + timedelta(minutes=minute)
    )


def _intended(generation: int) -> PostIntended:
    return PostIntended(posting=_POSTING, document_sha256="0" * 64, file_name="b.pdf", generation=generation)


def _bill(version: int, number: str) -> EntityNormalized:
    bill = Bill(bill_id="b1", type="ACCPAY", status="AUTHORISED", number=number)
    return EntityNormalized(entity=bill, content_sha256="0" * 64, version=version)


def _view(*events: Envelope) -> BillView:
    view = reduce(seen, events, None)
    assert view is not None
    return view


_INGEST = [_at(0, _bill(1, "A-1")), _at(1, _bill(2, "A-2"))]
_MATCHER = [_at(2, _decided(1)), _at(3, _decided(2, verdict="post"))]
_PUSHER = [
    _at(4, PostIntended(posting=_POSTING, document_sha256="0" * 64, file_name="f.pdf", generation=2)),
    _at(5, PostSent(posting=_POSTING, attempt=1)),
    _at(6, PostSettled(posting=_POSTING, invoice_id="q9", attachment_id=None, found="answer")),
]


@given(st.permutations(["ingest"] * 2 + ["matcher"] * 2 + ["pusher"] * 3))
def test_logs_that_overtake_each_other_give_the_same_view(turns: list[str]) -> None:
    logs = {"ingest": iter(_INGEST), "matcher": iter(_MATCHER), "pusher": iter(_PUSHER)}
    assert _view(*[next(logs[turn]) for turn in turns]) == _view(*_INGEST, *_MATCHER, *_PUSHER)


def test_a_review_waits_until_it_is_answered() -> None:
    view = _view(_at(0, _bill(1, "A-1")), _at(1, _decided(1)))
    assert view.waits
    answer = signed_off(view, "link", invoice_id=None, by="ada", note=None)
    assert answer.invoice_id == "q1"
    assert not seen(view, _at(2, answer)).waits


def test_a_rejected_posting_waits_with_its_sentence() -> None:
    rejected = PostRejected(posting=_POSTING, code="document_too_large", sentence="The file has 25 MB.")
    view = _view(_at(1, _decided(1, verdict="post")), _at(2, rejected))
    assert view.waits
    assert view.why == "The file has 25 MB."


@pytest.mark.parametrize("verdict", ["ineligible", "link"])
def test_a_refused_bill_that_is_to_be_left_alone_or_was_found_waits_no_longer(verdict: Verdict) -> None:
    rejected = PostRejected(posting=_POSTING, code="document_too_large", sentence="The file has 25 MB.")
    view = _view(_at(1, _decided(1, verdict="post")), _at(2, rejected))
    answer = signed_off(view, "never", invoice_id=None, by="ada", note=None)
    view = seen(seen(view, _at(3, answer)), _at(4, _decided(2, verdict=verdict)))
    assert not view.waits
    assert view.why == "Decision 2."


def test_a_document_that_was_read_otherwise_waits_though_its_bill_is_linked_to_it() -> None:
    differs = PostDiffers(
        posting=_POSTING, invoice_id="q9", differences=(FieldDifference(field="total", ours="1", theirs="2"),)
    )
    view = _view(_at(1, _decided(1, verdict="post")), _at(2, differs), _at(3, _decided(2, verdict="link")))
    assert view.waits


@pytest.mark.parametrize("verdict", ["link", "post"])
def test_a_document_that_was_read_otherwise_waits_until_a_person_answers_and_its_next_one_waits_anew(
    verdict: Verdict,
) -> None:
    compare = PostUnchecked(posting=_POSTING, invoice_id="q9", code="not_read", sentence="Compare it by eye.")
    posted = [_at(1, _decided(1, verdict="post")), _at(2, _intended(1)), _at(3, compare)]
    view = _view(*posted, _at(4, _decided(2, verdict="link")))
    answer = signed_off(view, verdict, invoice_id=None, by="ada", note=None)
    view = seen(seen(view, _at(5, answer)), _at(6, _decided(3, verdict=verdict, reason=SIGNED_OFF)))
    assert not view.waits
    assert view.why == "Decision 3."
    view = seen(seen(view, _at(7, _intended(3))), _at(8, compare))
    assert view.waits
    assert view.why == "Compare it by eye."


def test_a_difference_names_both_sides() -> None:
    differs = PostDiffers(
        posting=_POSTING, invoice_id="q9", differences=(FieldDifference(field="total", ours="1", theirs="2"),)
    )
    assert "total 1 in Xero, 2 in Qonto" in _view(_at(1, _decided(1, verdict="post")), _at(2, differs)).why


@pytest.mark.parametrize(
    ("candidates", "named", "code"),
    [
        (("q1", "q2"), None, "which_one"),
        (("q1", "q2"), "q", "which_one"),
        (("q1",), "q7", "no_such_candidate"),
        ((), None, "which_one"),
    ],
)
def test_a_link_must_name_one_of_the_candidates_shown(
    candidates: tuple[str, ...], named: str | None, code: str
) -> None:
    view = _view(_at(1, _decided(1, candidates=candidates)))
    with pytest.raises(Rejected) as refusal:
        signed_off(view, "link", invoice_id=named, by="ada", note=None)
    assert refusal.value.code == code


def test_nobody_can_answer_what_does_not_wait() -> None:
    with pytest.raises(Rejected) as refusal:
        signed_off(_view(_at(1, _decided(1, verdict="link"))), "post", invoice_id=None, by="ada", note=None)
    assert refusal.value.code == "not_waiting"
