"""Made-up tax numbers and accounts hold to the check digits of their countries."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from well.demo.company.tax_ids import iban, iso7064_completed, luhn_completed, vat_number


@pytest.mark.parametrize("country", ["FR", "DE", "NL", "GB", "IT", "ES", "BE"])
@given(chance=st.randoms(use_true_random=False))
def test_an_iban_leaves_one_when_divided_by_97(country: str, chance: random.Random) -> None:
    account = (iban(country, chance) or "").replace(" ", "")
    turned = account[4:] + account[:4]
    assert int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


@given(chance=st.randoms(use_true_random=False))
def test_a_french_vat_number_is_keyed_to_its_siren(chance: random.Random) -> None:
    number = vat_number("FR", chance) or ""
    siren = number[4:]
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(siren))]
    assert sum(sum(divmod(value, 10)) for value in doubled) % 10 == 0
    assert int(number[2:4]) == (12 + 3 * (int(siren) % 97)) % 97


def test_known_numbers_come_out_right() -> None:
    assert luhn_completed("40483304") == "404833048"
    assert iso7064_completed("13669597") == "136695976"


def test_americans_have_neither() -> None:
    chance = random.Random(1)  # noqa: S311  a seed
    assert vat_number("US", chance) is iban("US", chance) is None
