"""Our normalised form of what providers hold. One shape whatever the provider wrote."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field

from libs.contracts.model import Instant, Published, Sentence, Sha256
from libs.contracts.money import Money

NAME_MAX: Final = 500
"""Codepoints. Xero allows 255 in a contact's name; twice that keeps a merged or prefixed name whole."""

Name = Annotated[str, Field(max_length=NAME_MAX)]


class Defect(Published):
    """Something a record lacks or gets wrong that stops it from being matched, said for a person."""

    code: str
    sentence: Sentence


class Company(Published):
    """A supplier or customer, from a Xero contact."""

    kind: Literal["company"] = "company"
    contact_id: str
    name: Name
    tax_number: Name | None = None
    merged_into: str | None = None
    archived: bool = False


class Bill(Published):
    """A Xero invoice record of any type; only those of type ACCPAY are bills in the book-keeper's sense.

    `total`, `total_tax` are None when Xero's amount or currency could not be read; `defects` then says why.
    """

    kind: Literal["bill"] = "bill"
    bill_id: str
    type: str
    status: str
    number: Name | None = None
    contact_id: str | None = None
    supplier_name: Name | None = None
    tax_number: Name | None = None
    issue_date: date | None = None
    due_date: date | None = None
    total: Money | None = None
    total_tax: Money | None = None
    has_document: bool = False
    defects: tuple[Defect, ...] = ()


class QontoInvoice(Published):
    """A supplier invoice as Qonto holds it. What OCR has not read yet, or could not, is None."""

    kind: Literal["qonto_invoice"] = "qonto_invoice"
    invoice_id: str
    status: str
    number: Name | None = None
    supplier_name: Name | None = None
    tax_number: Name | None = None
    issue_date: date | None = None
    due_date: date | None = None
    total: Money | None = None
    total_tax: Money | None = None
    file_name: Name | None = None
    attachment_id: str | None = None
    is_credit_note: bool = False
    is_einvoice: bool = False
    has_duplicates: bool = False
    created_at: Instant | None = None
    analyzed_at: Instant | None = None


class Document(Published):
    """A supplier's own file, addressed by its content. The bytes lie sealed in the blob store, never on a topic."""

    kind: Literal["document"] = "document"
    sha256: Sha256
    size_bytes: Annotated[int, Field(ge=1)]
    mime_type: str
    file_name: Name


Entity = Annotated[Company | Bill | QontoInvoice, Field(discriminator="kind", json_schema_extra={"x-grows": True})]
"""Said to grow: the kinds that are still to come are added here, and readers pass over one that they do not know."""
