"""The six fields, as Xero has them and as Qonto read them off the document.

A field that Qonto did not read, or that Xero does not have, is no difference: it is simply not compared, and the
comparison says which fields were. Numbers are compared without case, spaces and punctuation, which OCR moves about.
Amounts are compared as numbers and without their currency, which is a field of its own: a currency misread is one
difference, not three. What Qonto takes for a credit note counts as negative, whichever sign it is written with.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from libs.contracts.errors import Malformed
from libs.contracts.events import ExpectedFields, FieldDifference
from libs.contracts.money import Money, money_from_text

FIELDS: Final = ("total", "currency", "issue_date", "due_date", "number", "tax")

SHOWN_MAX: Final = 80
"""Codepoints of a value in a difference. Numbers and amounts are shorter; a page that OCR took for one stays out."""


@dataclass(frozen=True)
class ReadAmount:
    """An amount as Qonto wrote it: decimal text and currency, neither of them checked."""

    value: str
    currency: str


@dataclass(frozen=True)
class ReadBack:
    """A supplier invoice as Qonto shows it after an upload; what OCR has not read, or could not, is None."""

    invoice_id: str
    attachment_id: str | None
    file_name: str | None
    analyzed: bool = False
    number: str | None = None
    issue_date: date | None = None
    due_date: date | None = None
    total: ReadAmount | None = None
    total_tax: ReadAmount | None = None
    is_credit_note: bool = False


@dataclass(frozen=True)
class Comparison:
    """Which fields both sides know, and which of these differ."""

    compared: tuple[str, ...]
    differences: tuple[FieldDifference, ...]


class _Value(NamedTuple):
    """What is compared, and how a person reads it."""

    compared: Hashable
    shown: str


def compare(expected: ExpectedFields, read: ReadBack) -> Comparison:
    """Compare what both sides know."""
    ours, theirs = _ours(expected), _theirs(read)
    both = [(field, mine, other) for field in FIELDS if (mine := ours.get(field)) and (other := theirs.get(field))]
    return Comparison(
        tuple(field for field, _, _ in both),
        tuple(
            FieldDifference(field=field, ours=mine.shown[:SHOWN_MAX], theirs=other.shown[:SHOWN_MAX])
            for field, mine, other in both
            if mine.compared != other.compared
        ),
    )


def _ours(expected: ExpectedFields) -> dict[str, _Value | None]:
    total, tax = expected.total, expected.total_tax
    return {
        "total": _money(total) if total else None,
        "tax": _money(tax) if tax else None,
        "currency": _Value(total.currency, total.currency) if total else None,
        "issue_date": _text(expected.issue_date),
        "due_date": _text(expected.due_date),
        "number": _number(expected.number),
    }


def _theirs(read: ReadBack) -> dict[str, _Value | None]:
    total, tax, credit = read.total, read.total_tax, read.is_credit_note
    return {
        "total": _amount(total, credit=credit) if total else None,
        "tax": _amount(tax, credit=credit) if tax else None,
        "currency": _Value(total.currency.upper(), total.currency) if total else None,
        "issue_date": _text(read.issue_date.isoformat() if read.issue_date else None),
        "due_date": _text(read.due_date.isoformat() if read.due_date else None),
        "number": _number(read.number),
    }


def _money(money: Money) -> _Value:
    return _Value(Decimal(money.decimal_text()), str(money))


def _amount(amount: ReadAmount, *, credit: bool) -> _Value:
    """The amount; one of an unknown currency, or with more decimals than its currency has, as Qonto wrote it."""
    try:
        money = money_from_text(amount.value, amount.currency.upper())
    except Malformed:
        return _Value(amount.value, f"{amount.currency} {amount.value}")
    if not credit:
        return _money(money)
    value, shown = _money(Money(minor=-abs(money.minor), currency=money.currency))
    return _Value(value, f"{shown} (a credit note)" if money.minor else shown)


def _text(text: str | None) -> _Value | None:
    return _Value(text, text) if text else None


def _number(text: str | None) -> _Value | None:
    if not text:
        return None
    bare = "".join(letter for letter in unicodedata.normalize("NFKC", text).casefold() if letter.isalnum())
    return _Value(bare or text, text)
