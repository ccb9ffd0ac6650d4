"""What becomes of a bill once its document lies at Qonto. Qonto's API cannot change or delete a supplier invoice.

Source: docs.qonto.com, supplier invoices: no PATCH and no DELETE is documented.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from libs.contracts.entities import Bill
from libs.contracts.events import ExpectedFields
from services.matcher.domain.eligible import Grounds, expected_of, gone_of

SHOWN_MAX: Final = 40
"""Codepoints of a value in a sentence: six fields, old and new, stay below the 600 of a sentence."""

_NAMES: Final = {
    "total": "total",
    "number": "number",
    "supplier_name": "supplier",
    "issue_date": "date",
    "due_date": "due date",
    "total_tax": "tax",
}


@dataclass(frozen=True, slots=True)
class Posted:
    """The supplier invoice a bill was posted as, the fields it had then, and when that was settled."""

    invoice_id: str
    fields: ExpectedFields
    at: datetime


def objection(posted: Posted, bill: Bill | None, withdrawn: str | None) -> Grounds | None:
    """What no longer agrees between the bill and what was posted; None when all does."""
    gone = gone_of(bill, withdrawn)
    if gone is not None:
        sentence = (
            f"The bill was {gone.code} in Xero after its document was posted to Qonto. "
            "Reject the supplier invoice in Qonto, or leave it there on purpose."
        )
        return Grounds("voided_after_posting", sentence)
    changes = changed_fields(posted.fields, expected_of(bill))
    if not changes:
        return None
    sentence = (
        f"The bill was changed in Xero after its document was posted to Qonto: {'; '.join(changes)}. "
        "Qonto cannot be changed from here; correct it there, or the bill in Xero."
    )
    return Grounds("changed_after_posting", sentence)


def changed_fields(before: ExpectedFields, after: ExpectedFields | None) -> tuple[str, ...]:
    """Each changed field as `total EUR 12.00 -> EUR 13.00`."""
    if after is None:
        return ("its record can no longer be read",)
    return tuple(
        f"{name} {_shown(getattr(before, field))} -> {_shown(getattr(after, field))}"
        for field, name in _NAMES.items()
        if getattr(before, field) != getattr(after, field)
    )


def _shown(value: object) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= SHOWN_MAX else f"{text[: SHOWN_MAX - 1]}…"
