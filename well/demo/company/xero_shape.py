"""The books in Xero's own JSON: invoices, contacts, attachments.

Shapes and field names: Xero-OpenAPI 16.1.0. Amounts are `Decimal` and become JSON numbers digit by digit
(`json_bytes`); fields that only a sales process fills are left out.
"""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import orjson

from libs.contracts.identity import derived_id
from libs.contracts.money import Money
from libs.paper import Paper, PaperLine, render_bill
from well.demo.company.booked import BookedBill, BookedLine, Supplier
from well.demo.company.file_names import file_name_of


def json_bytes(value: object) -> bytes:
    """JSON in which every `Decimal` stands as the number it is, `119.90` as `119.90`."""
    return orjson.dumps(value, default=_decimal_as_number)


def xero_invoice(bill: BookedBill) -> dict[str, Any]:
    """The bill as `GET /Invoices/{id}` answers it."""
    due = bill.due_date
    open_minor = bill.total.minor if bill.status in ("AUTHORISED", "SUBMITTED", "DRAFT") else 0
    paid_minor = bill.total.minor if bill.status == "PAID" else 0
    return {
        "Type": bill.kind,
        "InvoiceID": bill.bill_id,
        "InvoiceNumber": bill.number or "",
        "Reference": "",
        "Payments": [],
        "CreditNotes": [],
        "Prepayments": [],
        "Overpayments": [],
        "AmountDue": _number(Money(minor=open_minor, currency=bill.currency)),
        "AmountPaid": _number(Money(minor=paid_minor, currency=bill.currency)),
        "AmountCredited": Decimal(0),
        "IsDiscounted": False,
        "HasAttachments": bill.attached != "nothing",
        "HasErrors": False,
        "Contact": {"ContactID": bill.supplier.contact_id, "Name": bill.supplier.name},
        "DateString": f"{bill.issue_date.isoformat()}T00:00:00",
        "Date": _xero_date(bill.issue_date),
        **({"DueDateString": f"{due.isoformat()}T00:00:00", "DueDate": _xero_date(due)} if due else {}),
        "Status": bill.status,
        "LineAmountTypes": "Exclusive",
        "LineItems": [_line_item(bill, place, line) for place, line in enumerate(bill.lines)],
        "SubTotal": _number(bill.net),
        "TotalTax": _number(bill.tax),
        "Total": _number(bill.total),
        "UpdatedDateUTC": _xero_instant(bill.touched_at),
        "CurrencyCode": bill.currency,
    }


def xero_contact(supplier: Supplier, touched_at: datetime) -> dict[str, Any]:
    """The supplier as `GET /Contacts/{id}` answers it."""
    return {
        "ContactID": supplier.contact_id,
        "ContactStatus": "ARCHIVED" if supplier.is_archived else "ACTIVE",
        "Name": supplier.name,
        "TaxNumber": supplier.vat_number or "",
        "BankAccountDetails": (supplier.iban or "").replace(" ", ""),
        "DefaultCurrency": supplier.currency,
        "Addresses": [_address(supplier)] if supplier.address else [],
        "Phones": [],
        "ContactGroups": [],
        "ContactPersons": [],
        "IsSupplier": True,
        "IsCustomer": False,
        "UpdatedDateUTC": _xero_instant(touched_at),
        "HasAttachments": False,
        "HasValidationErrors": False,
        **({"MergedToContactID": supplier.merged_into} if supplier.merged_into else {}),
    }


def xero_attachment(bill: BookedBill, bill_to: tuple[str, ...]) -> dict[str, Any] | None:
    """What hangs on the bill: the recipe of its PDF, or bytes when they are broken; None when nothing does."""
    if bill.attached == "nothing":
        return None
    held: dict[str, Any] = {
        "invoice_id": bill.bill_id,
        "attachment_id": str(derived_id(bill.bill_id, "attachment")),
        "file_name": file_name_of(bill),
        "mime_type": "application/pdf",
    }
    paper = paper_of(bill, bill_to)
    if bill.attached == "broken":
        whole = render_bill(paper)
        return {**held, "content_base64": base64.b64encode(whole[: len(whole) // 2]).decode()}
    return {**held, "paper": paper.model_dump(mode="json")}


def paper_of(bill: BookedBill, bill_to: tuple[str, ...]) -> Paper:
    """The document the supplier sent."""
    supplier = bill.supplier
    return Paper(
        supplier_name=supplier.name,
        supplier_address=supplier.address,
        vat_number=supplier.vat_number,
        iban=supplier.iban,
        bill_to=bill_to,
        number=bill.number,
        issue_date=bill.issue_date,
        due_date=bill.due_date,
        currency=bill.currency,
        lines=tuple(
            PaperLine(description=line.description, quantity_text=str(line.quantity), net=line.net)
            for line in bill.lines
        ),
        net=bill.net,
        tax=bill.tax,
        total=bill.total,
        language=supplier.language,
        padding_bytes=bill.padding_bytes,
    )


def _line_item(bill: BookedBill, place: int, line: BookedLine) -> dict[str, Any]:
    return {
        "LineItemID": str(derived_id(bill.bill_id, "line", place)),
        "Description": line.description,
        "Quantity": Decimal(line.quantity),
        "UnitAmount": _number(line.unit),
        "TaxType": "INPUT2" if line.tax_per_mille else "NONE",
        "TaxAmount": _number(line.tax),
        "LineAmount": _number(line.net),
        "AccountCode": "606",
        "Tracking": [],
    }


def _address(supplier: Supplier) -> dict[str, str]:
    street, city, country = (*supplier.address, "", "", "")[:3]
    return {"AddressType": "POBOX", "AddressLine1": street, "City": city, "Country": country}


def _number(amount: Money) -> Decimal:
    return Decimal(amount.decimal_text())


def _xero_date(day: date) -> str:
    """Midnight UTC of the calendar date, in milliseconds."""
    return _xero_instant(datetime.combine(day, time(), UTC))


def _xero_instant(instant: datetime) -> str:
    return f"/Date({int(instant.timestamp()) * 1000}+0000)/"


def _decimal_as_number(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError(f"{type(value).__name__} has no place in a provider's JSON")
