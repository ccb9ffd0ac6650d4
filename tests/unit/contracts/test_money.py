"""Money is exact, or refused with a reason."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from libs.contracts import money
from libs.contracts.errors import Malformed
from libs.contracts.money import DECIMALS, MAX_MINOR, Money, money_from_text


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("22.10", "EUR", 2210),
        ("22.1", "EUR", 2210),
        ("-3", "EUR", -300),
        ("+0.01", "EUR", 1),
        ("0", "EUR", 0),
        ("-0.00", "EUR", 0),
        ("1E+2", "EUR", 10_000),
        ("22.1000000000000000000000000000000000", "EUR", 2210),
        ("1000", "JPY", 1000),
        ("1000.00", "JPY", 1000),
        ("1.005", "BHD", 1005),
        ("10000000000000.00", "EUR", MAX_MINOR),
    ],
)
def test_a_decimal_text_is_read_exactly(text: str, currency: str, minor: int) -> None:
    assert money_from_text(text, currency) == Money(minor=minor, currency=currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("1.005", "EUR"),
        ("0.5", "JPY"),
        ("1.0005", "BHD"),
        ("22.1000000000000000000000000000000001", "EUR"),  # more digits than Python's decimals keep by themselves
        ("1E-99", "EUR"),
        ("10000000000000.01", "EUR"),
        ("1E+99", "EUR"),
        ("1E+999999999", "EUR"),
        ("NaN", "EUR"),
        ("sNaN", "EUR"),
        ("-Infinity", "EUR"),
        ("", "EUR"),
        (" 1", "EUR"),
        ("1\n", "EUR"),
        ("1_000", "EUR"),
        ("1,284.00", "EUR"),
        ("１２", "EUR"),  # noqa: RUF001 digits of another script are the point
        ("9" * 5000, "EUR"),
    ],
)
def test_what_is_no_exact_amount_is_refused(text: str, currency: str) -> None:
    with pytest.raises(Malformed) as refused:
        money_from_text(text, currency)
    assert refused.value.code == "bad_amount"


@pytest.mark.parametrize("currency", ["XBT", "eur", "", "XAU", "EURO", "€"])
def test_a_currency_that_iso_4217_does_not_list_is_refused(currency: str) -> None:
    with pytest.raises(Malformed) as refused:
        money_from_text("1.00", currency)
    assert refused.value.code == "unknown_currency"


def test_a_refusal_repeats_no_amount() -> None:
    with pytest.raises(Malformed) as refused:
        money_from_text("1284.005", "EUR")
    assert "1284" not in refused.value.sentence


@pytest.mark.parametrize("minor", [1284.0, "1284", True, MAX_MINOR + 1, -MAX_MINOR - 1])
def test_minor_units_are_whole_and_bounded(minor: object) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"minor": minor, "currency": "EUR"})


def test_a_float_is_refused_on_the_wire_too() -> None:
    with pytest.raises(ValidationError):
        Money.model_validate_json('{"minor": 1284.0, "currency": "EUR"}')


def test_money_reads_as_a_person_writes_it() -> None:
    assert str(Money(minor=128_400, currency="EUR")) == "EUR 1,284.00"
    assert str(Money(minor=-5, currency="EUR")) == "EUR -0.05"
    assert str(Money(minor=128_400, currency="JPY")) == "JPY 128,400"
    assert Money(minor=1_284_005, currency="BHD").decimal_text() == "1284.005"


def test_each_currency_has_its_decimals_once() -> None:
    lists = (money._NO_DECIMALS, money._TWO_DECIMALS, money._THREE_DECIMALS)
    assert len(DECIMALS) == sum(map(len, lists))
    assert (DECIMALS["JPY"], DECIMALS["EUR"], DECIMALS["BHD"]) == (0, 2, 3)
