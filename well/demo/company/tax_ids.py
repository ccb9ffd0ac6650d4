"""VAT numbers and IBANs that look right: the shape of their country, and check digits where those are public.

They belong to nobody by intention; a made-up one may still be somebody's, so nothing is ever looked up or paid.
"""

from __future__ import annotations

import random
from typing import Final

_VAT_SHAPES: Final = {"NL": "NL#########B01", "GB": "GB#########", "IT": "IT###########", "ES": "ESB########"}
"""`#` is a digit. Source: the shapes VIES lists for each member state; GB from HMRC."""

_BBAN_SHAPES: Final = {
    "FR": "#######################",
    "DE": "##################",
    "NL": "ABNA##########",
    "GB": "BARC##############",
    "IT": "X######################",
    "ES": "####################",
    "BE": "############",
}
"""Source: the IBAN registry of ISO 13616, structure of the BBAN. The US has no IBAN."""


def vat_number(country: str, chance: random.Random) -> str | None:
    """A VAT number of the country; None where the country has none."""
    if country == "FR":
        siren = luhn_completed(f"{chance.randrange(10**8):08d}")
        return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"
    if country == "DE":
        return f"DE{iso7064_completed(str(chance.randrange(10**7, 10**8)))}"
    if country == "BE":
        stem = chance.randrange(10**6, 10**7)
        return f"BE0{stem}{97 - stem % 97:02d}"
    shape = _VAT_SHAPES.get(country)
    return _digits_filled(shape, chance) if shape else None


def iban(country: str, chance: random.Random) -> str | None:
    """An IBAN of the country with right check digits, in groups of four; None where there are none."""
    shape = _BBAN_SHAPES.get(country)
    if shape is None:
        return None
    bban = _digits_filled(shape, chance)
    as_number = "".join(str(int(character, 36)) for character in f"{bban}{country}00")
    whole = f"{country}{98 - int(as_number) % 97:02d}{bban}"
    return " ".join(whole[start : start + 4] for start in range(0, len(whole), 4))


def _digits_filled(shape: str, chance: random.Random) -> str:
    return "".join(str(chance.randrange(10)) if character == "#" else character for character in shape)


def luhn_completed(digits: str) -> str:
    """With the check digit of a SIREN: every second digit from the right doubled, its digits summed."""
    doubled = [
        sum(divmod(2 * int(digit), 10)) if place % 2 == 0 else int(digit)
        for place, digit in enumerate(reversed(digits))
    ]
    return f"{digits}{-sum(doubled) % 10}"


def iso7064_completed(digits: str) -> str:
    """With the check digit of a German USt-IdNr.: ISO 7064, MOD 11,10."""
    product = 10
    for digit in digits:
        product = 2 * ((int(digit) + product) % 10 or 10) % 11
    return f"{digits}{(11 - product) % 10}"
