"""A Xero invoice record in our form.

Source of the field names, states and types: XeroAPI/Xero-OpenAPI, xero_accounting.yaml 16.1.0, schema Invoice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from libs.contracts.entities import Bill, Defect
from libs.contracts.errors import Malformed
from libs.xero.dates import document_date
from services.ingest.domain.reading import Words, iso_date, money, required_id, required_text, text, unlike
from services.ingest.domain.withdrawal import Withdrawal

_WITHDRAWN: Final = {
    "VOIDED": Withdrawal("voided", "The invoice was voided in Xero."),
    "DELETED": Withdrawal("deleted", "The invoice was deleted in Xero."),
}


def read_bill(words: Words) -> Bill | Withdrawal:
    """A bill or sales invoice, whatever its state; what cannot be read of it is None with a defect, the total's first.

    A voided or deleted one is a withdrawal: Xero keeps such rows in its lists.

    Raises:
        Malformed: It has no id, type or status, so that it cannot even be said whether it is a bill.
    """
    bill_id = required_id(words, "InvoiceID")
    type_, status = required_text(words, "Type"), required_text(words, "Status")
    if status in _WITHDRAWN:
        return _WITHDRAWN[status]
    contact = words.get("Contact")
    contact = contact if isinstance(contact, Mapping) else {}
    currency = words.get("CurrencyCode")
    total, total_defects = money(words.get("Total"), currency, field="total")
    total_tax, tax_defects = money(words.get("TotalTax"), currency, field="tax")
    if words.get("Total") is None:
        total_defects = (Defect(code="no_amount", sentence="The invoice has no total in Xero."),)
    issue_date, issue_defects = _document_date(words, "Date")
    due_date, due_defects = _document_date(words, "DueDate")
    return Bill(
        bill_id=bill_id,
        type=type_,
        status=status,
        number=text(words, "InvoiceNumber"),
        contact_id=text(contact, "ContactID"),
        supplier_name=text(contact, "Name"),
        tax_number=text(contact, "TaxNumber"),
        issue_date=issue_date,
        due_date=due_date,
        total=total,
        total_tax=total_tax,
        has_document=words.get("HasAttachments") is True,
        defects=unlike(total_defects, tax_defects, issue_defects, due_defects),
    )


def _document_date(words: Words, field: str) -> tuple[date | None, tuple[Defect, ...]]:
    """The calendar date of a document: that of the instant in UTC, never of a local time (Xero-NetStandard#149)."""
    written = words.get(field)
    if written is None:
        return iso_date(words, f"{field}String"), ()
    try:
        return document_date(str(written)), ()
    except Malformed:
        defect = Defect(code="bad_date", sentence=f"The {field} of the invoice cannot be read as a date.")
        return iso_date(words, f"{field}String"), (defect,)
