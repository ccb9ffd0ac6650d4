"""Reading back six fields."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from libs.contracts.money import Money
from services.pusher.domain.comparing import FIELDS, ReadBack, compare
from tests.unit.pusher.stories import EXPECTED

READ = ReadBack(
    invoice_id="q1",
    attachment_id="a1",
    file_name="x.pdf",
    analyzed=True,
    number="inv 2026/100",
    issue_date=date(2026, 10, 12),
    due_date=date(2026, 11, 11),
    total=Money(minor=128400, currency="EUR"),
    total_tax=Money(minor=21400, currency="EUR"),
)


def test_the_same_document_read_well_has_no_difference() -> None:
    comparison = compare(EXPECTED, READ)
    assert comparison.differences == ()
    assert set(comparison.compared) == set(FIELDS)


@pytest.mark.parametrize(
    ("read", "field", "ours", "theirs"),
    [
        (replace(READ, total=Money(minor=124800, currency="EUR")), "total", "1284.00", "1248.00"),
        (replace(READ, total_tax=Money(minor=0, currency="EUR")), "tax", "214.00", "0.00"),
        (replace(READ, total=Money(minor=128400, currency="USD")), "currency", "EUR", "USD"),
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


def test_amounts_of_currencies_with_other_decimals_are_compared_as_amounts() -> None:
    ours = EXPECTED.model_copy(update={"total": Money(minor=500, currency="JPY"), "total_tax": None})
    read = replace(READ, total=Money(minor=50000, currency="EUR"))
    assert [difference.field for difference in compare(ours, read).differences] == ["total", "currency"]


def test_numbers_of_nothing_but_punctuation_are_compared_as_they_are() -> None:
    ours = EXPECTED.model_copy(update={"number": "--"})
    assert [difference.field for difference in compare(ours, replace(READ, number="##")).differences] == ["number"]
