"""Money goes out as text and comes back as it was, whatever the amount and the currency."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.errors import Malformed
from libs.contracts.money import DECIMALS, MAX_MINOR, Money, money_from_text

amounts = st.builds(Money, minor=st.integers(-MAX_MINOR, MAX_MINOR), currency=st.sampled_from(sorted(DECIMALS)))


@given(amounts)
def test_its_text_reads_back_as_the_same_money(money: Money) -> None:
    assert money_from_text(money.decimal_text(), money.currency) == money


@given(amounts)
def test_it_comes_back_from_the_wire(money: Money) -> None:
    assert Money.model_validate_json(money.model_dump_json()) == money


@given(amounts)
def test_what_a_person_reads_is_the_same_amount(money: Money) -> None:
    currency, text = str(money).split(" ")
    assert (currency, text.replace(",", "")) == (money.currency, money.decimal_text())


@given(st.decimals(allow_nan=False, allow_infinity=False), st.sampled_from(["EUR", "JPY", "BHD"]))
def test_any_decimal_is_read_to_the_last_digit_or_refused(amount: Decimal, currency: str) -> None:
    exact = Fraction(amount) * 10 ** DECIMALS[currency]
    try:
        money = money_from_text(str(amount), currency)
    except Malformed:
        return
    assert Fraction(money.minor) == exact


@given(st.integers(-MAX_MINOR, MAX_MINOR), st.sampled_from(["EUR", "JPY", "BHD"]), st.integers(1, 9))
def test_one_decimal_too_many_is_never_rounded_away(minor: int, currency: str, digit: int) -> None:
    whole = Money(minor=minor, currency=currency).decimal_text()
    text = f"{whole}{digit}" if "." in whole else f"{whole}.{digit}"
    with pytest.raises(Malformed):
        money_from_text(text, currency)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        money = money_from_text(text, "EUR")
    except Malformed:
        return
    assert Fraction(text) * 100 == money.minor
