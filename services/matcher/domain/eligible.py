"""Whether a bill takes part at all, and what of it matters to a decision."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import orjson

from libs.contracts.entities import Bill
from libs.contracts.events import ExpectedFields

APPROVED: Final = frozenset({"AUTHORISED", "PAID"})
"""Source: Xero-OpenAPI 16.1.0, Invoice.Status. Paid after approval changes nothing for us."""

_GONE: Final = {
    "voided": "The bill is voided in Xero, so there is nothing to do.",
    "deleted": "The bill is deleted in Xero, so there is nothing to do.",
    "merged": "The record was merged into another one in Xero, which is dealt with in its place.",
    "rejected": "The bill was rejected in Xero, so there is nothing to do.",
}
_GONE_STATUS: Final = {"VOIDED": "voided", "DELETED": "deleted"}
_CREDITS: Final = frozenset({"ACCPAYCREDIT", "APOVERPAYMENT", "APPREPAYMENT"})


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why something is so: a stable code, and a sentence for a book-keeper."""

    code: str
    sentence: str


def gone_of(bill: Bill | None, withdrawn: str | None) -> Grounds | None:
    """Whether Xero has taken the bill back."""
    code = withdrawn or (_GONE_STATUS.get(bill.status) if bill else None)
    return Grounds(code, _GONE[code]) if code else None


def ineligible(bill: Bill | None, withdrawn: str | None) -> Grounds | None:
    """Why the bill takes no part; None when it does. A bill of None is one whose words could not be read."""
    gone = gone_of(bill, withdrawn)
    if gone is not None:
        return gone
    if bill is None:
        sentence = (
            "Xero's record of this bill cannot be read. It is kept as it is; the next change in Xero is read anew."
        )
        return Grounds("malformed", sentence)
    return _by_type(bill) or _by_amount(bill)


def is_eligible(bill: Bill | None, withdrawn: str | None) -> bool:
    """Whether the bill takes part, as a bill to decide and as a rival of others."""
    return ineligible(bill, withdrawn) is None


def basis_of(bill: Bill | None, withdrawn: str | None) -> str:
    """The SHA-256 of all that a decision rests on. Two versions with the same basis need no second decision.

    Paid and approved are one and the same here, and so are all versions that cannot be read.
    """
    if bill is None:
        return hashlib.sha256(orjson.dumps(["unread", withdrawn])).hexdigest()
    status = "approved" if bill.status in APPROVED else bill.status
    fields = bill.model_dump(mode="json", exclude={"kind", "bill_id", "status", "contact_id"})
    rest = {**fields, "status": status, "withdrawn": withdrawn}
    return hashlib.sha256(orjson.dumps(rest, option=orjson.OPT_SORT_KEYS)).hexdigest()


def expected_of(bill: Bill | None) -> ExpectedFields | None:
    """The six fields that Qonto will read off the document."""
    if bill is None:
        return None
    return ExpectedFields(
        number=bill.number,
        supplier_name=bill.supplier_name,
        issue_date=bill.issue_date.isoformat() if bill.issue_date else None,
        due_date=bill.due_date.isoformat() if bill.due_date else None,
        total=bill.total,
        total_tax=bill.total_tax,
    )


def _by_type(bill: Bill) -> Grounds | None:
    if bill.type == "ACCREC":
        return Grounds("sales_invoice", "This is an invoice to a customer, not a bill of a supplier.")
    if bill.type in _CREDITS:
        return Grounds("supplier_credit", "This is a credit of a supplier, not a bill; it is kept as evidence.")
    if bill.type != "ACCPAY":
        return Grounds("not_a_bill", "Xero calls this record neither a bill nor an invoice; it is left alone.")
    if bill.status not in APPROVED:
        return Grounds("not_approved", "The bill is not approved in Xero yet. It is decided as soon as it is.")
    return None


def _by_amount(bill: Bill) -> Grounds | None:
    if bill.total is None and bill.defects:
        return Grounds(bill.defects[0].code, bill.defects[0].sentence)
    if bill.total is None:
        return Grounds("no_amount", "The bill has no total in Xero.")
    if bill.total.minor <= 0:
        return Grounds("no_positive_total", "The total of the bill is not above zero, so there is nothing to pay.")
    return None
