"""Money: an integer of minor units and a currency. No float comes near it."""

from __future__ import annotations

import re
from decimal import Context, Decimal
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from libs.contracts.errors import Malformed

# Source: ISO 4217:2015, table A.1, active codes; funds and precious metals left out, since no bill is written in them.
_TWO_DECIMALS: Final = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP "
    "CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES "
    "KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK "
    "NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB "
    "TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
).split()
_NO_DECIMALS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split()
_THREE_DECIMALS: Final = "BHD IQD JOD KWD LYD OMR TND".split()

DECIMALS: Final[dict[str, int]] = {
    **dict.fromkeys(_TWO_DECIMALS, 2),
    **dict.fromkeys(_NO_DECIMALS, 0),
    **dict.fromkeys(_THREE_DECIMALS, 3),
}
"""How many decimals each currency has. A currency that is not here is unknown, and is said to be so."""

MAX_MINOR: Final = 10**15
"""Minor units. Ten trillion euros; anything above is a slip, and stays well inside a 64-bit column."""

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]

_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?")
"""JSON's numbers and a leading plus. Python's Decimal would also read "1_000", "NaN" and the digits of every script."""

_EXACT: Final = Context(prec=200)
"""Digits. Twice what a text of `_DECIMAL` can have: the 28 of Python's default context round longer ones silently."""


class Money(BaseModel):
    """An amount as its currency's smallest unit: `Money(minor=128400, currency="EUR")` is EUR 1,284.00."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minor: Annotated[int, Field(strict=True, ge=-MAX_MINOR, le=MAX_MINOR)]
    currency: Currency

    def __str__(self) -> str:
        """The amount as a person reads it: `EUR 1,284.00`."""
        return f"{self.currency} {self.decimal_text(grouped=True)}"

    def decimal_text(self, *, grouped: bool = False) -> str:
        """The amount with the decimals of its currency, as providers write it: `1284.00`."""
        decimals = DECIMALS.get(self.currency, 2)
        value = Decimal(self.minor).scaleb(-decimals)
        return f"{value:,.{decimals}f}" if grouped else f"{value:.{decimals}f}"


def money_from_text(text: str, currency: str) -> Money:
    """Read a provider's decimal text, exactly.

    Args:
        text: A decimal such as `"22.10"` or `"-3"`; JSON numbers are passed as the text they were written in.
        currency: An ISO 4217 code in capitals.

    Raises:
        Malformed: `unknown_currency` when ISO 4217 does not list the code; `bad_amount` when the text is no decimal,
            has more decimals than its currency, or is beyond `MAX_MINOR`.
    """
    decimals = DECIMALS.get(currency)
    if decimals is None:
        raise Malformed(f"The currency {currency[:8]!r} is not in ISO 4217.", code="unknown_currency")
    if not _DECIMAL.fullmatch(text):
        raise Malformed("The amount is not a decimal number.", code="bad_amount")
    minor = Decimal(text).scaleb(decimals, _EXACT)
    if not -MAX_MINOR <= minor <= MAX_MINOR:
        raise Malformed("The amount is beyond what a bill can be.", code="bad_amount")
    if minor != minor.to_integral_value():
        raise Malformed(f"The amount has more than the {decimals} decimals of {currency}.", code="bad_amount")
    return Money(minor=int(minor), currency=currency)
