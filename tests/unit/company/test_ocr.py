"""What a machine makes of a bill: mostly the bill, sometimes a mistake a machine makes."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.money import Money
from well.demo.company.booked import BookedBill, BookedLine, Supplier
from well.demo.company.ocr import DATE_BESIDE_MAX_DAYS, as_read_by_ocr, confused

BILL: Final = BookedBill(
    bill_id="b-1",
    supplier=Supplier("c-1", "Ateliers Brémond SARL", (), "FR83404833048", "FR76 3000 6000", "fr", "EUR", 200),
    number="F-2026/0140",
    issue_date=date(2026, 3, 4),
    due_date=date(2026, 4, 3),
    lines=(BookedLine("Reprise", 2, Money(minor=58_000, currency="EUR"), 200),),
    touched_at=datetime(2026, 3, 6, tzinfo=UTC),
)


def _readings(count: int) -> list[dict[str, Any]]:
    chance = random.Random(3)  # noqa: S311  a seed, so that the shares below are the same each time
    return [as_read_by_ocr(BILL, chance) for _ in range(count)]


def _share(readings: list[dict[str, Any]], field: str, right: object) -> float:
    return sum(1 for read in readings if read[field] == right) / len(readings)


def test_the_amount_is_nearly_always_right_and_other_fields_mostly() -> None:
    readings = _readings(4_000)
    assert 0.99 < _share(readings, "total_amount", {"value": "1392.00", "currency": "EUR"}) < 1
    assert 0.93 < _share(readings, "total_tax_amount", {"value": "232.00", "currency": "EUR"}) < 0.97
    assert 0.95 < _share(readings, "issue_date", "2026-03-04") < 0.985
    assert 0.8 < _share(readings, "due_date", "2026-04-03") < 0.9
    assert 0.72 < _share(readings, "invoice_number", "F-2026/0140") < 0.88
    assert 0.02 < _share(readings, "supplier_name", None) < 0.04


def test_each_kind_of_mistake_is_made() -> None:
    readings = _readings(4_000)
    names = Counter(read["supplier_name"] for read in readings)
    assert names.keys() >= {"Ateliers Brémond", "ATELIERS BRÉMOND SARL", "A. Brémond SARL", None}
    numbers = {read["invoice_number"] for read in readings}
    assert numbers >= {"F20260140", "F-2O26/0140", None}
    assert "2026-04-03" in {read["issue_date"] for read in readings}, "day and month turned"
    days_off = {abs(date.fromisoformat(read["issue_date"]) - BILL.issue_date).days for read in readings}
    assert days_off - {30} == set(range(DATE_BESIDE_MAX_DAYS + 1))


def test_what_the_bill_does_not_say_is_not_read() -> None:
    bare = replace(BILL, number=None, due_date=None, supplier=replace(BILL.supplier, vat_number=None, iban=None))
    read = as_read_by_ocr(bare, random.Random(1))  # noqa: S311  a seed
    assert (read["invoice_number"], read["due_date"], read["vat_number"], read["iban"]) == (None, None, None, None)


def test_a_document_is_read_after_it_arrives_and_arrives_after_it_is_written() -> None:
    for read in _readings(200):
        created_at = datetime.fromisoformat(read["created_at"])
        assert timedelta() <= created_at.date() - BILL.issue_date <= timedelta(days=3)
        assert created_at < datetime.fromisoformat(read["analyzed_at"]) <= datetime.fromisoformat(read["updated_at"])


@given(st.text(max_size=30), st.randoms(use_true_random=False))
def test_a_confused_text_differs_in_one_place_at_most(text: str, chance: random.Random) -> None:
    read = confused(text, chance)
    start = next((place for place, (a, b) in enumerate(zip(text, read, strict=False)) if a != b), len(text))
    ends = {text[start + width :] for width in (0, 1, 2)} & {read[start + width :] for width in (0, 1, 2)}
    assert read == text or ends


def test_a_text_without_lookalikes_stays_as_it_is() -> None:
    assert confused("347-aX", random.Random(1)) == "347-aX"  # noqa: S311  a seed
