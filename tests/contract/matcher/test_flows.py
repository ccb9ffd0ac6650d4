"""What becomes of bills over time, on both forms of the database."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

from libs.contracts.events import PostIntended, PostRejected, PostSettled
from libs.contracts.money import Money
from libs.eventlog.port import Delivery
from tests.support.forms import Form, form
from tests.support.matching import SHA, Workspace, a_bill, an_invoice, open_workspace

__all__ = ["form"]


def intended(generation: int = 1) -> PostIntended:
    return PostIntended(posting=UUID(int=1), document_sha256=SHA, file_name="bill.pdf", generation=generation)


def arrived(invoice_id: str = "invoice-9") -> PostSettled:
    return PostSettled(posting=UUID(int=1), invoice_id=invoice_id, attachment_id=None, found="answer")


async def ready(form: Form, *records: object) -> Workspace:
    workspace = await open_workspace(form)
    await workspace.learn(*records)  # type: ignore[arg-type]
    await workspace.finish_windows()
    await workspace.decide()
    return workspace


async def posted(form: Form) -> Workspace:
    workspace = await ready(form, a_bill())
    await workspace.posted("bill-1", intended(), arrived())
    return workspace


async def test_nothing_is_decided_before_both_providers_were_read_to_their_end(form: Form) -> None:
    workspace = await open_workspace(form)
    await workspace.learn(a_bill())
    assert await workspace.decide() == 0
    await workspace.finish_windows()
    assert await workspace.decide() == 1


async def test_a_bill_that_qonto_has_is_linked(form: Form) -> None:
    workspace = await ready(form, a_bill(), an_invoice())
    decision = await workspace.decision()
    assert (decision.verdict, decision.reason, decision.chosen) == ("link", "at_qonto", ("invoice-1",))


async def test_a_bill_that_qonto_does_not_have_is_posted(form: Form) -> None:
    other = an_invoice(supplier="Pixel Foundry", number="00017", minor=990, on=date(2025, 5, 1))
    workspace = await ready(form, a_bill(), other)
    assert (await workspace.decision()).verdict == "post"


async def test_a_decision_is_said_in_the_log_under_the_bill(form: Form) -> None:
    workspace = await ready(form, a_bill())
    reader = await form.reader()
    found = await reader.read("matcher", {}, topic="match.decided.v1", limit=10)
    [delivery] = [await reader.open(raw) for raw in found.deliveries]
    assert isinstance(delivery, Delivery)
    assert delivery.envelope.record == "xero/bill/bill-1"
    assert delivery.envelope.payload == await workspace.decision()


async def test_paying_a_bill_does_not_decide_it_again(form: Form) -> None:
    workspace = await ready(form, a_bill())
    await workspace.learn(a_bill(status="PAID"))
    assert await workspace.decide() == 0


async def test_a_bill_without_a_document_waits_for_one(form: Form) -> None:
    workspace = await ready(form, a_bill(has_document=False))
    assert (await workspace.decision()).reason == "no_document"
    await workspace.learn(a_bill(has_document=True))
    await workspace.decide()
    decision = await workspace.decision()
    assert (decision.verdict, decision.generation) == ("post", 2)


async def test_a_supplier_invoice_that_turns_up_settles_a_waiting_bill(form: Form) -> None:
    workspace = await ready(form, a_bill(has_document=False))
    await workspace.learn(an_invoice())
    await workspace.decide()
    assert (await workspace.decision()).verdict == "link"


async def test_a_supplier_invoice_that_turns_up_does_not_touch_a_bill_on_its_way(form: Form) -> None:
    workspace = await ready(form, a_bill())
    await workspace.learn(an_invoice())
    assert await workspace.decide() == 0
    assert (await workspace.decision()).verdict == "post"


async def test_a_supplier_invoice_that_turns_up_settles_a_bill_whose_posting_was_refused(form: Form) -> None:
    workspace = await ready(form, a_bill())
    refused = PostRejected(posting=UUID(int=1), code="document_too_large", sentence="25 MB; Qonto takes 10.")
    await workspace.posted("bill-1", intended(), refused)
    await workspace.learn(an_invoice())
    await workspace.decide()
    assert (await workspace.decision()).verdict == "link"


async def test_a_refused_posting_is_not_asked_for_again_until_the_bill_changes(form: Form) -> None:
    workspace = await ready(form, a_bill())
    refused = PostRejected(posting=UUID(int=1), code="document_broken", sentence="The PDF is cut off.")
    await workspace.posted("bill-1", intended(), refused)
    await workspace.learn(an_invoice(supplier="Pixel Foundry", number="00017"))
    await workspace.decide()
    assert (await workspace.decision()).generation == 1
    await workspace.learn(a_bill(due_date=date(2026, 2, 17)))
    await workspace.decide()
    assert (await workspace.decision()).generation == 2


async def test_a_bill_edited_before_the_refusal_of_its_posting_arrives_is_posted_anew(form: Form) -> None:
    workspace = await ready(form, a_bill())
    refused = PostRejected(posting=UUID(int=1), code="document_broken", sentence="The PDF is cut off.")
    await workspace.learn(a_bill(due_date=date(2026, 2, 17)))
    await workspace.posted("bill-1", intended(), refused)
    await workspace.decide()
    assert (await workspace.decision()).generation == 2


async def test_an_older_version_that_comes_late_changes_nothing(form: Form) -> None:
    older = a_bill(minor=77), an_invoice(minor=77, number="ZZ-1234")
    workspace = await ready(form, *older, a_bill(), an_invoice())
    workspace.versions.clear()
    await workspace.learn(*older)
    assert await workspace.decide() == 0
    assert (await workspace.decision()).chosen == ("invoice-1",)


async def test_the_same_words_twice_decide_nothing_new(form: Form) -> None:
    workspace = await ready(form, a_bill(has_document=False))
    await workspace.learn(an_invoice("invoice-2", minor=77, number="X-99999", on=date(2020, 1, 1)))
    await workspace.decide()
    assert (await workspace.decision()).generation == 1


async def test_a_supplier_invoice_belongs_to_one_bill_at_most(form: Form) -> None:
    twins = a_bill("bill-1", number=None), a_bill("bill-2", number=None)
    workspace = await ready(form, *twins, an_invoice(number=None))
    decisions = [await workspace.decision(twin.bill_id) for twin in twins]
    assert [(d.verdict, d.reason) for d in decisions] == [("review", "rivals_too_close")] * 2


async def test_a_better_bill_that_comes_late_asks_a_person(form: Form) -> None:
    workspace = await ready(form, a_bill("bill-1", number=None), an_invoice())
    assert (await workspace.decision("bill-1")).verdict == "link"
    await workspace.learn(a_bill("bill-2"))
    await workspace.decide()
    decision = await workspace.decision("bill-2")
    assert (decision.verdict, decision.reason) == ("review", "claimed_by_other_bill")


async def test_a_bill_that_goes_away_frees_its_supplier_invoice_for_another(form: Form) -> None:
    workspace = await ready(form, a_bill("bill-1", number=None), an_invoice())
    await workspace.learn(a_bill("bill-2"))
    await workspace.decide()
    await workspace.withdraw("bill-1")
    await workspace.decide()
    assert (await workspace.decision("bill-1")).reason == "voided"
    assert (await workspace.decision("bill-2")).verdict == "link"


async def test_two_bills_that_say_the_same_are_shown_until_one_is_voided(form: Form) -> None:
    workspace = await ready(form, a_bill("bill-1"), a_bill("bill-2"))
    assert [(await workspace.decision(id_)).reason for id_ in ("bill-1", "bill-2")] == ["possible_duplicate"] * 2
    await workspace.withdraw("bill-2")
    await workspace.decide()
    assert (await workspace.decision("bill-1")).verdict == "post"


async def test_a_bill_edited_after_posting_names_what_changed(form: Form) -> None:
    workspace = await posted(form)
    await workspace.learn(a_bill(minor=130_000))
    await workspace.decide()
    decision = await workspace.decision()
    assert (decision.verdict, decision.reason) == ("review", "changed_after_posting")
    assert "total EUR 1,284.00 -> EUR 1,300.00" in decision.sentence


async def test_an_edit_taken_back_after_posting_ends_the_review_without_posting_again(form: Form) -> None:
    workspace = await posted(form)
    await workspace.learn(a_bill(minor=130_000))
    await workspace.decide()
    await workspace.learn(a_bill())
    await workspace.decide()
    decision = await workspace.decision()
    assert (decision.verdict, decision.reason, decision.chosen) == ("link", "already_posted", ("invoice-9",))


async def test_a_bill_edited_while_its_posting_is_under_way_is_shown_once_it_settles(form: Form) -> None:
    workspace = await ready(form, a_bill())
    await workspace.posted("bill-1", intended())
    await workspace.learn(a_bill(minor=130_000))
    await workspace.decide()
    await workspace.posted("bill-1", arrived())
    await workspace.decide()
    assert (await workspace.decision()).reason == "changed_after_posting"


async def test_a_settled_posting_needs_no_second_decision(form: Form) -> None:
    workspace = await posted(form)
    await workspace.learn(an_invoice("invoice-9"))
    assert await workspace.decide() == 0


async def test_a_bill_voided_before_posting_is_left_alone(form: Form) -> None:
    workspace = await ready(form, a_bill())
    await workspace.withdraw("bill-1")
    await workspace.decide()
    decision = await workspace.decision()
    assert (decision.verdict, decision.reason) == ("ineligible", "voided")


async def test_a_bill_voided_after_posting_is_shown(form: Form) -> None:
    workspace = await posted(form)
    await workspace.withdraw("bill-1")
    await workspace.decide()
    assert (await workspace.decision()).reason == "voided_after_posting"


async def test_what_was_posted_goes_before_what_was_matched(form: Form) -> None:
    workspace = await ready(form, a_bill("bill-2", number=None), an_invoice("invoice-9"))
    assert (await workspace.decision("bill-2")).verdict == "link"
    await workspace.learn(a_bill("bill-1", has_document=False))
    await workspace.decide()
    await workspace.posted("bill-1", arrived("invoice-9"))
    await workspace.decide()
    assert (await workspace.decision("bill-2")).verdict != "link"


async def test_a_bill_that_cannot_be_read_is_left_alone_until_it_can(form: Form) -> None:
    workspace = await open_workspace(form)
    await workspace.spoil("bill-1")
    await workspace.finish_windows()
    await workspace.decide()
    assert (await workspace.decision()).reason == "malformed"
    await workspace.learn(a_bill())
    await workspace.decide()
    assert (await workspace.decision()).verdict == "post"


async def test_a_supplier_invoice_rejected_at_qonto_is_shown_instead_of_posted_again(form: Form) -> None:
    workspace = await ready(form, a_bill(), an_invoice(status="rejected"))
    decision = await workspace.decision()
    assert (decision.verdict, decision.reason) == ("review", "rejected_at_qonto")


async def test_a_link_is_looked_at_again_when_its_supplier_invoice_changes(form: Form) -> None:
    workspace = await ready(form, a_bill(), an_invoice())
    await workspace.learn(an_invoice(total=Money(minor=1, currency="EUR"), number="Z-00001", on=date(2020, 1, 1)))
    await workspace.decide()
    assert (await workspace.decision()).verdict == "post"


async def test_counts_tell_bills_by_verdict(form: Form) -> None:
    workspace = await ready(form, a_bill("bill-1"), a_bill("bill-2", minor=5, number="Q-77777", status="DRAFT"))
    assert await workspace.service.counts(workspace.id) == {"post": 1, "ineligible": 1}
    await workspace.learn(a_bill("bill-3", minor=9, number="R-88888"))
    assert (await workspace.service.counts(workspace.id))["due"] == 1


async def test_another_workspace_sees_nothing(form: Form) -> None:
    workspace = await ready(form, a_bill(), an_invoice())
    assert await workspace.service.counts(uuid4()) == {}
    assert await workspace.service.decision(uuid4(), "xero/bill/bill-1") is None
