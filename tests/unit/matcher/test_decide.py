"""The decision table, row by row."""

from __future__ import annotations

import dataclasses

import pytest

from libs.contracts.entities import Bill, Defect
from libs.contracts.money import Money
from services.matcher.domain.compare import compare
from services.matcher.domain.decide import Case, Decision, decide
from services.matcher.domain.eligible import basis_of
from services.matcher.domain.model import TABLE
from services.matcher.domain.option import Option, veto_of
from services.matcher.domain.policy import STANDARD, Policy
from services.matcher.domain.side import side_of
from tests.support.matching import a_bill, an_invoice

UNREAD = Defect(code="unknown_currency", sentence="XQZ is no currency.")


def decided(bill: Bill, *options: Option, policy: Policy = STANDARD, **others: object) -> Decision:
    return decide(dataclasses.replace(Case(bill, options=options), **others), policy)  # type: ignore[arg-type]


def option(bill: Bill, *, rival_odds: float = 0.0, **fields: object) -> Option:
    invoice = an_invoice(**fields)  # type: ignore[arg-type]
    compared = compare(side_of(bill), side_of(invoice), is_repeated=False)
    veto = veto_of(bill.total, invoice, is_withdrawn=False, is_claimed=False)
    return Option(invoice, compared, rival_odds, rivals=int(rival_odds > 0), veto=veto)


@pytest.mark.parametrize(
    ("bill", "reason"),
    [
        (a_bill(status="DRAFT"), "not_approved"),
        (a_bill(status="SUBMITTED"), "not_approved"),
        (a_bill(status="VOIDED"), "voided"),
        (a_bill(status="DELETED"), "deleted"),
        (a_bill(type="ACCREC"), "sales_invoice"),
        (a_bill(type="ACCPAYCREDIT"), "supplier_credit"),
        (a_bill(total=None, defects=(UNREAD,)), "unknown_currency"),
        (a_bill(total=None), "no_amount"),
        (a_bill(minor=0), "no_positive_total"),
    ],
)
def test_what_takes_no_part_is_left_alone_with_its_reason(bill: Bill, reason: str) -> None:
    decision = decided(bill)
    assert (decision.verdict, decision.reason) == ("ineligible", reason)


def test_a_sure_supplier_invoice_is_linked() -> None:
    bill = a_bill()
    decision = decided(bill, option(bill))
    assert (decision.verdict, decision.chosen) == ("link", ("invoice-1",))
    assert decision.confidence >= STANDARD.threshold


def test_nothing_alike_is_posted() -> None:
    assert decided(a_bill()).verdict == "post"


def test_a_better_rival_leaves_the_bill_to_be_posted() -> None:
    bill = a_bill(number=None)
    assert decided(bill, option(bill, rival_odds=2.0**30)).verdict == "post"


def test_an_equal_rival_asks_a_person() -> None:
    bill = a_bill(number=None)
    decision = decided(bill, option(bill, rival_odds=2.0**10))
    assert (decision.verdict, decision.reason) == ("review", "rivals_too_close")


def test_a_bill_that_stands_twice_in_xero_is_asked_about_as_a_duplicate() -> None:
    bill = a_bill()
    decision = decided(bill, option(bill, rival_odds=2.0**22), duplicates=("bill-2",))
    assert (decision.verdict, decision.reason) == ("review", "possible_duplicate")


def test_a_short_number_tells_bills_of_one_day_and_amount_apart() -> None:
    bill = a_bill(number="860")
    rival = option(bill, number="830", invoice_id="invoice-2")
    decision = decided(bill, option(bill, number="860"), rival)
    assert (decision.verdict, decision.chosen) == ("link", ("invoice-1",))


def test_a_middling_supplier_invoice_asks_a_person_and_shows_it() -> None:
    bill = a_bill(supplier=None, number=None)
    decision = decided(bill, option(bill))
    assert (decision.verdict, decision.reason) == ("review", "not_sure"), "nothing rivals it"
    assert [candidate.invoice_id for candidate in decision.candidates] == ["invoice-1"]


def test_an_even_chance_is_unmatched() -> None:
    bill = a_bill(number="F-2026-0999")
    decision = decided(bill, option(bill))
    assert decision.none_confidence < STANDARD.floor
    assert decision.verdict == "unmatched"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"is_credit_note": True}, "credit_note"),
        ({"status": "rejected"}, "rejected_at_qonto"),
        ({"status": "discarded"}, "rejected_at_qonto"),
    ],
)
def test_a_veto_asks_a_person_instead_of_linking_or_posting(fields: dict[str, object], reason: str) -> None:
    bill = a_bill()
    decision = decided(bill, option(bill, **fields))  # type: ignore[arg-type]
    assert (decision.verdict, decision.reason) == ("review", reason)


@pytest.mark.parametrize(
    ("others", "policy", "reason"),
    [
        ({"duplicates": ("bill-2",)}, STANDARD, "possible_duplicate"),
        ({"is_crowded": True}, STANDARD, "too_many_alike"),
        ({}, Policy("p", asks_above=Money(minor=100_000, currency="EUR")), "amount_above"),
    ],
)
def test_a_rule_asks_a_person_before_posting(others: dict[str, object], policy: Policy, reason: str) -> None:
    decision = decided(a_bill(), policy=policy, **others)
    assert (decision.verdict, decision.reason) == ("review", reason)


def test_a_bill_without_a_document_is_not_posted() -> None:
    assert decided(a_bill(has_document=False)).reason == "no_document"


def test_paying_a_bill_changes_nothing_a_decision_rests_on() -> None:
    assert basis_of(a_bill(status="AUTHORISED"), None) == basis_of(a_bill(status="PAID"), None)
    assert basis_of(a_bill(), None) != basis_of(a_bill(minor=1), None)


def test_the_same_case_gives_the_same_decision_to_the_last_bit() -> None:
    bill = a_bill(number=None)
    assert decided(bill, option(bill, rival_odds=3.0)) == decided(bill, option(bill, rival_odds=3.0))


def test_every_line_of_the_model_has_a_reason_and_stands_once() -> None:
    assert all(weight.why for weight in TABLE)
    assert len({(weight.field, weight.level) for weight in TABLE}) == len(TABLE)
