"""Six fields, as Xero has them and as Qonto read them off the document.

A field that Qonto did not read, or that Xero does not have, is no difference: it is simply not compared, and the
comparison says which fields were. Numbers are compared without case, spaces and punctuation, which OCR moves about.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final

from libs.contracts.events import ExpectedFields, FieldDifference
from libs.contracts.money import Money

FIELDS: Final = ("total", "currency", "issue_date", "due_date", "number", "tax")


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
    total: Money | None = None
    total_tax: Money | None = None


@dataclass(frozen=True)
class Comparison:
    """Which fields both sides know, and which of these differ."""

    compared: tuple[str, ...]
    differences: tuple[FieldDifference, ...]


def compare(expected: ExpectedFields, read: ReadBack) -> Comparison:
    """Compare what both sides know."""
    ours, theirs = _ours(expected), _theirs(read)
    compared = tuple(field for field in FIELDS if ours[field] and theirs[field])
    differing = (field for field in compared if _normal(field, ours[field]) != _normal(field, theirs[field]))
    return Comparison(
        compared, tuple(FieldDifference(field=name, ours=ours[name], theirs=theirs[name]) for name in differing)
    )


def _ours(expected: ExpectedFields) -> dict[str, str | None]:
    amounts = _amounts(expected.total, expected.total_tax)
    return {**amounts, "issue_date": expected.issue_date, "due_date": expected.due_date, "number": expected.number}


def _theirs(read: ReadBack) -> dict[str, str | None]:
    return {
        **_amounts(read.total, read.total_tax),
        "issue_date": read.issue_date.isoformat() if read.issue_date else None,
        "due_date": read.due_date.isoformat() if read.due_date else None,
        "number": read.number,
    }


def _amounts(total: Money | None, tax: Money | None) -> dict[str, str | None]:
    """Amounts without their currency, which is a field of its own: a currency misread is one difference, not three."""
    return {
        "total": total.decimal_text() if total else None,
        "tax": tax.decimal_text() if tax else None,
        "currency": total.currency if total else None,
    }


def _normal(field: str, text: str | None) -> str | None:
    if field != "number" or text is None:
        return text
    bare = "".join(letter for letter in unicodedata.normalize("NFKC", text).casefold() if letter.isalnum())
    return bare or text
