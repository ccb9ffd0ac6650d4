"""The awkward cases: each is an ordinary bill with one thing changed, under a name tests can ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from libs.contracts.money import Money
from well.demo.company.booked import BookedBill

HUGE_PDF_BYTES: Final = 25_000_000
"""Bytes. The largest attachment any page of Xero allows; Qonto takes 10 MB (docs.qonto.com, bulk upload)."""

UNKNOWN_CURRENCY: Final = "XQZ"
"""A code that looks like a currency and is not in ISO 4217."""

_LONG_DESCRIPTION: Final = "\n".join(
    f"Lot {lot}: dépose, fourniture et pose, réglages et nettoyage compris, suivant devis accepté"
    for lot in range(1, 25)
)


def _zero_total(bill: BookedBill) -> BookedBill:
    return _repriced(bill, 0, bill.currency)


def _unknown_currency(bill: BookedBill) -> BookedBill:
    return _repriced(bill, bill.lines[0].unit.minor, UNKNOWN_CURRENCY)


def _repriced(bill: BookedBill, unit_minor: int, currency: str) -> BookedBill:
    unit = Money(minor=unit_minor, currency=currency)
    return replace(bill, lines=tuple(replace(line, unit=unit) for line in bill.lines))


def _long_description(bill: BookedBill) -> BookedBill:
    first, *others = bill.lines
    return replace(bill, lines=(replace(first, description=_LONG_DESCRIPTION), *others))


CASES: Final[Mapping[str, Callable[[BookedBill], BookedBill]]] = {
    "zero_total": _zero_total,
    "draft": lambda bill: replace(bill, status="DRAFT"),
    "submitted": lambda bill: replace(bill, status="SUBMITTED"),
    "voided": lambda bill: replace(bill, status="VOIDED"),
    "deleted": lambda bill: replace(bill, status="DELETED"),
    "no_pdf": lambda bill: replace(bill, attached="nothing"),
    "huge_pdf": lambda bill: replace(bill, padding_bytes=HUGE_PDF_BYTES),
    "broken_pdf": lambda bill: replace(bill, attached="broken"),
    "unknown_currency": _unknown_currency,
    "no_due_date": lambda bill: replace(bill, due_date=None),
    "no_number": lambda bill: replace(bill, number=None),
    "long_description": _long_description,
}
"""Name to change. Whatever the bill was before, it is not at Qonto, and but for its status it is AUTHORISED."""


def made_awkward(name: str, bill: BookedBill) -> BookedBill:
    """The bill as the named case; its status is AUTHORISED unless the case is about the status."""
    return CASES[name](replace(bill, status="AUTHORISED", attached="paper"))
