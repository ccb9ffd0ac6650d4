"""What a person answers, and how long it holds."""

from __future__ import annotations

from tests.contract.matcher.test_flows import arrived, intended, ready
from tests.support.forms import Form, form
from tests.support.matching import Workspace, a_bill, an_invoice

__all__ = ["form"]


async def test_a_person_links_a_bill(form: Form) -> None:
    workspace = await ready(form, a_bill(has_document=False), an_invoice("invoice-7", minor=1, number="ZZ-1234"))
    await workspace.answer("bill-1", "link", "invoice-7")
    await workspace.decide()
    decision = await workspace.decision()
    assert (decision.verdict, decision.reason, decision.chosen) == ("link", "signed_off", ("invoice-7",))


async def test_a_person_posts_a_bill_as_new(form: Form) -> None:
    workspace = await ready(form, a_bill("bill-1"), a_bill("bill-2"))
    await workspace.answer("bill-1", "post")
    await workspace.decide()
    decision = await workspace.decision()
    assert (decision.verdict, decision.reason, decision.generation) == ("post", "signed_off", 2)


async def test_a_person_says_never_and_it_holds_through_edits(form: Form) -> None:
    workspace = await ready(form, a_bill(has_document=False))
    await workspace.answer("bill-1", "never")
    await workspace.decide()
    await workspace.learn(a_bill(minor=5))
    await workspace.decide()
    decision = await workspace.decision()
    assert (decision.verdict, decision.reason) == ("ineligible", "never")


async def test_an_answer_to_an_earlier_decision_is_passed_over(form: Form) -> None:
    workspace = await ready(form, a_bill(has_document=False))
    await workspace.answer("bill-1", "post", generation=7)
    assert await workspace.decide() == 0


async def test_one_supplier_invoice_cannot_be_given_to_two_bills_by_hand(form: Form) -> None:
    bills = a_bill("bill-1", has_document=False), a_bill("bill-2", has_document=False, minor=2, number="Q-77777")
    workspace = await ready(form, *bills, an_invoice("invoice-7", minor=1, number="ZZ-1234"))
    await workspace.answer("bill-1", "link", "invoice-7")
    await workspace.decide()
    await workspace.answer("bill-2", "link", "invoice-7")
    await workspace.decide()
    assert (await workspace.decision("bill-2")).reason == "choice_taken"


async def test_a_supplier_invoice_that_was_rejected_at_qonto_is_not_linked_by_hand(form: Form) -> None:
    rejected = an_invoice("invoice-7", minor=1, number="ZZ-1234", status="rejected")
    workspace = await ready(form, a_bill(has_document=False), rejected)
    await workspace.answer("bill-1", "link", "invoice-7")
    await workspace.decide()
    assert (await workspace.decision()).reason == "choice_taken"


async def test_an_answer_given_before_an_edit_was_decided_is_no_answer_to_the_edited_bill(form: Form) -> None:
    workspace = await ready(form, a_bill("bill-1"), a_bill("bill-2"))
    await workspace.learn(a_bill("bill-1", minor=9_128_400))
    await workspace.answer("bill-1", "post")
    await workspace.decide()
    decision = await workspace.decision()
    assert (decision.generation, decision.reason) == (2, "not_at_qonto")


async def _changed_after_it_was_posted(form: Form) -> Workspace:
    """A bill that a person had posted, and somebody edited then."""
    workspace = await ready(form, a_bill("bill-1"), a_bill("bill-2"))
    await workspace.answer("bill-1", "post")
    await workspace.decide()
    await workspace.posted("bill-1", intended(2), arrived())
    await workspace.learn(a_bill("bill-1", minor=777))
    await workspace.decide()
    assert (await workspace.decision()).reason == "changed_after_posting"
    return workspace


async def test_an_answer_to_post_a_bill_posts_it_once_whatever_becomes_of_the_bill(form: Form) -> None:
    workspace = await _changed_after_it_was_posted(form)
    await workspace.learn(a_bill("bill-1"))
    await workspace.decide()
    decision = await workspace.decision()
    assert (decision.verdict, decision.reason, decision.chosen) == ("link", "already_posted", ("invoice-9",))


async def test_a_person_may_have_a_bill_posted_again_that_was_changed_after_it_was_posted(form: Form) -> None:
    workspace = await _changed_after_it_was_posted(form)
    await workspace.answer("bill-1", "post", generation=3)
    await workspace.decide()
    decision = await workspace.decision()
    assert (decision.verdict, decision.reason, decision.generation) == ("post", "signed_off", 4)
