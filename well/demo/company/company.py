"""What the made-up company holds at both providers, and what is so."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from well.demo.company.booked import BookedBill, Supplier
from well.demo.company.ocr import as_read_by_ocr
from well.demo.company.truth import Truth
from well.demo.company.xero_shape import json_bytes, xero_attachment, xero_contact, xero_invoice

CONTACTS_TOUCHED: Final = timedelta(days=600)
"""Before today. Contacts were made before the first bill and have not changed since."""


@dataclass(frozen=True, slots=True)
class Company:
    """A company's books as plain JSON values in the providers' own shapes; amounts in Xero's are `Decimal`.

    Attributes:
        xero_contacts: As `GET /Contacts` lists them.
        xero_invoices: As `GET /Invoices` lists them: bills, and one or another record that is not a bill.
        xero_attachments: `{invoice_id, attachment_id, file_name, mime_type}` and either `paper`, the recipe for
            `libs.paper.Paper`, or `content_base64`.
        qonto_invoices: As `GET /v2/supplier_invoices` lists them.
        truth: Which bill is which Qonto invoice.
    """

    xero_contacts: tuple[dict[str, Any], ...]
    xero_invoices: tuple[dict[str, Any], ...]
    xero_attachments: tuple[dict[str, Any], ...]
    qonto_invoices: tuple[dict[str, Any], ...]
    truth: Truth

    def to_json(self) -> bytes:
        """Everything as one JSON object, a member an attribute; the same company gives the same bytes."""
        return json_bytes(
            {
                "xero_contacts": self.xero_contacts,
                "xero_invoices": self.xero_invoices,
                "xero_attachments": self.xero_attachments,
                "qonto_invoices": self.qonto_invoices,
                "truth": self.truth.model_dump(mode="json"),
            }
        )


def assemble(
    bills: Sequence[BookedBill],
    *,
    in_qonto: Collection[str],
    orphans: Sequence[BookedBill],
    awkward: Mapping[str, str],
    other_contacts: Sequence[Supplier] = (),
    bill_to: tuple[str, ...],
    today: date,
    chance: random.Random,
) -> Company:
    """Give the books their providers' shapes.

    Args:
        bills: Everything in Xero.
        in_qonto: Ids of the bills whose document Qonto has read too.
        orphans: Bills whose document only Qonto has.
        awkward: Name of a case to the id it is found by.
        other_contacts: Contacts in Xero that no bill names.
        bill_to: The company's own name and address, as suppliers write it.
        today: Contacts were last changed `CONTACTS_TOUCHED` before it.
        chance: What the OCR gets wrong.
    """
    suppliers = {bill.supplier.contact_id: bill.supplier for bill in bills}
    suppliers |= {supplier.contact_id: supplier for supplier in other_contacts}
    contacts_touched_at = datetime.combine(today, time(), UTC) - CONTACTS_TOUCHED
    read = {bill.bill_id: as_read_by_ocr(bill, chance) for bill in bills if bill.bill_id in in_qonto}
    read_orphans = [as_read_by_ocr(bill, chance) for bill in orphans]
    attachments = (xero_attachment(bill, bill_to) for bill in bills)
    return Company(
        xero_contacts=tuple(xero_contact(supplier, contacts_touched_at) for supplier in suppliers.values()),
        xero_invoices=tuple(xero_invoice(bill) for bill in bills),
        xero_attachments=tuple(attachment for attachment in attachments if attachment is not None),
        qonto_invoices=tuple(
            sorted([*read.values(), *read_orphans], key=lambda held: (held["updated_at"], held["id"]))
        ),
        truth=Truth(
            in_qonto={bill_id: held["id"] for bill_id, held in read.items()},
            orphans=tuple(held["id"] for held in read_orphans),
            awkward=dict(awkward),
            alike=_alike(bills),
        ),
    )


def _alike(bills: Sequence[BookedBill]) -> tuple[tuple[str, ...], ...]:
    groups = defaultdict(list)
    for bill in bills:
        if bill.kind == "ACCPAY":
            groups[bill.supplier.contact_id, bill.number, bill.issue_date, bill.total].append(bill.bill_id)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)
