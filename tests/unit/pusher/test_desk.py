"""Two halves make an intent; a newer decision counts as soon as nothing is under way."""

from __future__ import annotations

import pytest

from libs.contracts.entities import Document
from libs.contracts.events import Event, PostIntended, PostRejected, PostWithdrawn
from services.pusher.domain.bill import SIGNED_OFF, Bill, Verdict, answer
from services.pusher.domain.desk import Desk
from services.pusher.domain.posting import LIVE, Posting, State
from tests.unit.pusher.stories import NOW, WORKSPACE, about, decided, desk, fetched, missing, pdf, posting


def kinds(laid: Desk) -> list[str]:
    """What was told."""
    return [event.payload.type for event in laid.events]


@pytest.mark.parametrize("order", [(decided(), fetched()), (fetched(), decided())])
def test_the_halves_make_an_intent_in_whatever_order_they_come(order: tuple[Event, ...]) -> None:
    laid = desk(*order)
    (intended,) = (event.payload for event in laid.events)
    assert isinstance(intended, PostIntended)
    (made,) = laid.new_postings
    assert made.state is State.INTENDED
    assert made.id == intended.posting
    assert made.due_at == NOW
    assert intended.file_name.startswith("INV-2026-100-")
    assert laid.events[0].cause == about(order[-1]).id


def test_one_half_waits() -> None:
    assert kinds(desk(decided())) == []
    assert kinds(desk(fetched())) == []


def test_hearing_everything_again_changes_nothing() -> None:
    assert kinds(desk(decided(), fetched(), decided(), fetched())) == ["PostIntended"]


def test_a_document_for_an_earlier_decision_does_not_answer_a_later_one() -> None:
    assert kinds(desk(decided(1), decided(2), fetched(1))) == ["PostWithdrawn"]
    assert kinds(desk(decided(1), decided(2), fetched(1), fetched(2))) == ["PostWithdrawn", "PostIntended"]


def test_a_missing_document_is_a_refusal_with_its_reason() -> None:
    laid = desk(decided(), missing())
    (rejected,) = (event.payload for event in laid.events)
    assert isinstance(rejected, PostRejected)
    assert (rejected.code, rejected.sentence) == ("no_document", "Xero has no document for this bill.")


@pytest.mark.parametrize(
    ("change", "code"),
    [({"size_bytes": 10_000_001}, "document_too_large"), ({"mime_type": "text/html"}, "document_type")],
)
def test_a_document_that_qonto_would_refuse_is_refused_before_it_is_sent(change: dict[str, object], code: str) -> None:
    document = Document.model_validate({**pdf().model_dump(), **change})
    laid = desk(decided(), fetched(document=document))
    assert [posting.code for posting in laid.new_postings] == [code]


@pytest.mark.parametrize("heard", [(decided(1),), (decided(1), fetched(1))])
def test_a_bill_that_changes_its_mind_before_anything_was_sent_is_withdrawn(heard: tuple[Event, ...]) -> None:
    laid = desk(*heard, decided(2, "ineligible", reason="voided"))
    assert isinstance(laid.events[-1].payload, PostWithdrawn)
    assert not [posting for posting in laid.new_postings if posting.state in LIVE]


def test_a_decision_not_to_post_of_a_bill_never_to_be_posted_leaves_no_trace() -> None:
    laid = desk(decided(1, "link"))
    assert not laid.events
    assert not laid.changed_bills


@pytest.mark.parametrize("state", [State.SENT, State.UNKNOWN])
def test_what_is_under_way_is_not_withdrawn_and_the_newer_decision_waits(state: State) -> None:
    first = posting(state)
    laid = desk(decided(1), decided(2), fetched(2), postings=(first,))
    assert kinds(laid) == ["PostWithdrawn"]
    assert laid.posting(first.id) == first
    assert not laid.wants(first)


def test_the_newer_decision_is_answered_when_the_earlier_posting_has_ended() -> None:
    first = posting(State.SENT)
    laid = desk(decided(2), fetched(2, pdf(b"%PDF another")), postings=(first,))
    laid.put(laid.tell.rejected(first, "invalid", "Qonto refused the document."))
    laid.go_on(first.record, first.last_event)
    assert kinds(laid) == ["PostRejected", "PostIntended"]


def test_what_was_put_back_and_overtaken_is_withdrawn_before_the_newer_decision_is_answered() -> None:
    first = posting(State.SENT)
    laid = desk(decided(2), fetched(2, pdf(b"%PDF another")), postings=(first,))
    laid.keep(laid.tell.put_back(first, "Too many requests.", due_at=NOW))
    laid.go_on(first.record, first.last_event)
    assert kinds(laid) == ["PostWithdrawn", "PostIntended"]


def complete(*, by_person: bool, document: Document | None = None) -> Bill:
    """A bill of which both halves are here."""
    return (
        Bill("xero/bill/b1")
        .deciding(decided(2, reason=SIGNED_OFF if by_person else "not_in_qonto"))
        .documented(fetched(2, document))
    )


@pytest.mark.parametrize(
    ("earlier", "by_person", "same_document", "outcome"),
    [
        (posting(State.VERIFIED), False, True, "already_posted"),
        (posting(State.VERIFIED), True, True, "already_posted"),
        (posting(State.SETTLED), False, False, "already_posted"),
        (posting(State.DIFFERS), True, False, Verdict.INTEND),
        (posting(State.REJECTED, code="posted_twice"), True, True, "already_posted"),
        (posting(State.REJECTED, code="outcome_unknown"), False, True, "maybe_posted"),
        (posting(State.REJECTED, code="outcome_unknown"), True, True, Verdict.INTEND),
        (posting(State.REJECTED, code="account_changed"), False, False, "maybe_posted"),
        (posting(State.REJECTED, code="gave_up"), False, True, Verdict.INTEND),
        (posting(State.REJECTED, code="invalid"), False, True, Verdict.INTEND),
        (posting(State.WITHDRAWN), False, True, Verdict.INTEND),
        (posting(State.SENT), True, False, Verdict.WAIT),
        (posting(State.UNKNOWN), True, False, Verdict.WAIT),
    ],
)
def test_what_became_of_earlier_postings_decides_about_a_later_one(
    earlier: Posting, *, by_person: bool, same_document: bool, outcome: str | Verdict
) -> None:
    document = None if same_document else pdf(b"%PDF another")
    given = answer(complete(by_person=by_person, document=document), [earlier])
    assert outcome == (given.code if given.verdict is Verdict.REFUSE else given.verdict)


def test_the_workspace_of_every_event_is_that_of_the_desk() -> None:
    assert {event.workspace for event in desk(decided(), fetched()).events} == {WORKSPACE}
