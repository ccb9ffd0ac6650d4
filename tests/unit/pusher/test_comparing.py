"""Reading back six fields."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from libs.contracts.money import Money
from services.pusher.domain.comparing import FIELDS, SHOWN_MAX, ReadAmount, ReadBack, compare
from tests.unit.pusher.stories import EXPECTED

READ = ReadBack(
    invoice_id="q1",
    attachment_id="a1",
    file_name="x.pdf",
    analyzed=True,
    number="inv 2026/100",
    issue_date=date(2026, 10, 12),
    due_date=date(2026, 11, 11),
    total=ReadAmount("1284.00", "EUR"),
    total_tax=ReadAmount("214.00", "EUR"),
)


def test_the_same_document_read_well_has_no_difference() -> None:
    comparison = compare(EXPECTED, READ)
    assert comparison.differences == ()
    assert set(comparison.compared) == set(FIELDS)


@pytest.mark.parametrize(
    ("read", "field", "ours", "theirs"),
    [
        (replace(READ, total=ReadAmount("1248.00", "EUR")), "total", "EUR 1,284.00", "EUR 1,248.00"),
        (replace(READ, total_tax=ReadAmount("0", "EUR")), "tax", "EUR 214.00", "EUR 0.00"),
        (replace(READ, total=ReadAmount("1284.00", "USD")), "currency", "EUR", "USD"),
        (replace(READ, issue_date=date(2026, 12, 10)), "issue_date", "2026-10-12", "2026-12-10"),
        (replace(READ, due_date=date(2026, 11, 12)), "due_date", "2026-11-11", "2026-11-12"),
        (replace(READ, number="INV-2026-101"), "number", "INV-2026-100", "INV-2026-101"),
    ],
)
def test_each_field_that_differs_is_named_with_both_values(read: ReadBack, field: str, ours: str, theirs: str) -> None:
    (difference,) = compare(EXPECTED, read).differences
    assert (difference.field, difference.ours, difference.theirs) == (field, ours, theirs)


def test_what_qonto_did_not_read_is_no_difference_and_was_not_compared() -> None:
    comparison = compare(EXPECTED, replace(READ, number=None, due_date=None, total_tax=None))
    assert comparison.differences == ()
    assert comparison.compared == ("total", "currency", "issue_date")


def test_what_xero_does_not_have_is_no_difference() -> None:
    ours = EXPECTED.model_copy(update={"number": None, "due_date": None})
    assert compare(ours, READ).differences == ()


JPY = EXPECTED.model_copy(update={"total": Money(minor=500, currency="JPY"), "total_tax": None})


@pytest.mark.parametrize("value", ["500", "500.00", "+500.0"])
def test_an_amount_of_a_currency_without_decimals_is_the_same_with_and_without_them(value: str) -> None:
    assert compare(JPY, replace(READ, total=ReadAmount(value, "JPY"))).differences == ()


def test_a_currency_misread_is_one_difference_whatever_its_decimals() -> None:
    read = replace(READ, total=ReadAmount("500.00", "EUR"))
    assert [difference.field for difference in compare(JPY, read).differences] == ["currency"]


@pytest.mark.parametrize(
    ("value", "currency", "theirs"),
    [("500.50", "JPY", "JPY 500.50"), ("5OO", "JPY", "JPY 5OO"), ("500", "XQZ", "XQZ 500")],
)
def test_an_amount_that_is_none_of_its_currency_is_a_difference_and_not_passed_over(
    value: str, currency: str, theirs: str
) -> None:
    differences = compare(JPY, replace(READ, total=ReadAmount(value, currency))).differences
    assert differences[0].in_words() == f"total JPY 500 in Xero, {theirs} in Qonto"


def test_a_bill_without_tax_agrees_with_a_zero_and_with_nothing_read() -> None:
    untaxed = EXPECTED.model_copy(update={"total_tax": Money(minor=0, currency="EUR")})
    assert compare(untaxed, replace(READ, total_tax=ReadAmount("0.00", "EUR"))).differences == ()
    assert "tax" not in compare(untaxed, replace(READ, total_tax=None)).compared
    (tax,) = compare(untaxed, READ).differences
    assert tax.in_words() == "tax EUR 0.00 in Xero, EUR 214.00 in Qonto"


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_credit_note_is_negative_whichever_sign_qonto_writes(sign: str) -> None:
    credit = EXPECTED.model_copy(
        update={"total": Money(minor=-128400, currency="EUR"), "total_tax": Money(minor=-21400, currency="EUR")}
    )
    total, tax = ReadAmount(f"{sign}1284.00", "EUR"), ReadAmount(f"{sign}214.00", "EUR")
    read = replace(READ, total=total, total_tax=tax, is_credit_note=True)
    assert compare(credit, read).differences == ()


def test_a_bill_that_qonto_takes_for_a_credit_note_differs_in_its_total() -> None:
    differences = compare(EXPECTED, replace(READ, is_credit_note=True)).differences
    assert [difference.field for difference in differences] == ["total", "tax"]
    assert differences[0].in_words() == "total EUR 1,284.00 in Xero, EUR -1,284.00 (a credit note) in Qonto"


def test_a_page_taken_for_a_number_is_not_repeated_whole() -> None:
    (difference,) = compare(EXPECTED, replace(READ, number="9" * 100_000)).differences
    assert difference.theirs == "9" * SHOWN_MAX


def test_numbers_of_nothing_but_punctuation_are_compared_as_they_are() -> None:
    ours = EXPECTED.model_copy(update={"number": "--"})
    assert [difference.field for difference in compare(ours, replace(READ, number="##")).differences] == ["number"]
