"""The stand-in's OCR: some seconds after an upload it reads the page and fills the empty fields.

Source: docs.qonto.com, "Create supplier invoices": `analyzed_at` and the extracted fields may be null at first. How
long it takes is nowhere said, so it can be set. What is read: a label and a value a line, in English.
"""

from __future__ import annotations

import io
import re
import struct
import time
import zlib
from typing import Any, Final

import orjson
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from libs.qonto.standin import invoices
from libs.qonto.standin.store import Row, written
from libs.qonto.standin.world import World

PAGES_MAX: Final = 5
"""Pages read of a file: an invoice says what it is on its first pages."""

READ_MAX_BYTES: Final = 10_000_000
"""Bytes of a file that is read at all; no larger one can be uploaded."""

BUDGET_SECONDS: Final = 0.25
"""Seconds of real time one read may spend on what is due; the rest waits for the next one, as in a busy OCR."""

_TEXT_FIELDS: Final = {
    "invoice number": "invoice_number",
    "supplier": "supplier_name",
    "vat number": "vat_number",
    "iban": "iban",
}
_DATE_FIELDS: Final = {"invoice date": "issue_date", "due date": "due_date"}
_AMOUNT_FIELDS: Final = {
    "net": "total_amount_excluding_taxes",
    "tax": "total_tax_amount",
    "total": "total_amount",
}

_UNREADABLE: Final = (
    PyPdfError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    zlib.error,
    struct.error,
)
"""What pypdf lets out on broken files. An unreadable file is one of the answers here, so none of them may get past."""

_LINE: Final = re.compile(r"^[^\S\n]*([A-Za-z]+(?:[^\S\n]+[A-Za-z]+)?)[^\S\n]*:[^\S\n]*(.*?)[^\S\n]*$", re.MULTILINE)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_AMOUNT: Final = re.compile(r"([A-Z]{3})\s*(-?\d[\d,]*(?:\.\d+)?)")


def fields_in(text: str) -> dict[str, Any]:
    """The fields of a supplier invoice that a page's text tells; what it does not tell is missing."""
    found: dict[str, Any] = {}
    for label_text, value in _LINE.findall(text):
        label = " ".join(label_text.lower().split())
        if label in _TEXT_FIELDS and value:
            found[_TEXT_FIELDS[label]] = value
        elif label in _DATE_FIELDS and _DATE.fullmatch(value):
            found[_DATE_FIELDS[label]] = value
        elif label in _AMOUNT_FIELDS and (amount := _AMOUNT.fullmatch(value)):
            found[_AMOUNT_FIELDS[label]] = {"value": amount[2].replace(",", ""), "currency": amount[1]}
    return found


def text_of(content: bytes) -> str:
    """The text of a PDF's first pages; empty when it is no PDF or cannot be read."""
    if not content.startswith(b"%PDF-") or len(content) > READ_MAX_BYTES:
        return ""
    try:
        pages = PdfReader(io.BytesIO(content)).pages
        return "\n".join(page.extract_text() for page in pages[:PAGES_MAX])
    except _UNREADABLE:
        return ""


def analyse_due(world: World, organization_id: str) -> None:
    """Analyse what is due of an organization, oldest first, for `BUDGET_SECONDS` and at least one."""
    until = time.perf_counter() + BUDGET_SECONDS
    due = world.store.rows(
        "select id from invoices where analyse_at <= ? and organization_id = ? order by analyse_at limit 1000",
        world.micros(),
        organization_id,
    )
    for row in due:
        analyse_if_due(world, row["id"])
        if time.perf_counter() > until:
            return


def analyse_if_due(world: World, invoice_id: str) -> None:
    """Analyse one invoice, when its time has come."""
    row = world.store.row(
        "select invoices.document, attachments.content from invoices "
        "join attachments on attachments.id = invoices.attachment_id where invoices.id = ? and analyse_at <= ?",
        invoice_id,
        world.micros(),
    )
    if row is not None:
        invoices.save(world, _analysed(world, row))


def _analysed(world: World, row: Row) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(row["document"])
    fields = fields_in(text_of(row["content"]))
    document |= fields
    document["analyzed_at"] = written(world.now())
    document["attachment_category"] = "INVOICE" if fields else "OTHER_NON_FINANCIAL_DOCUMENT"
    document["is_attachment_invoice"] = bool(fields)
    document["is_attachment_non_financial"] = not fields
    document["payable_amount"] = document["total_amount"]
    document["has_duplicates"] = _has_twin(world, document)
    return document


def _has_twin(world: World, document: dict[str, Any]) -> bool:
    """Whether the organization holds another invoice of the same number, supplier and total."""
    if document["invoice_number"] is None:
        return False
    rows = world.store.rows(
        "select document from invoices where organization_id = ? and id <> ? "
        "and json_extract(document, '$.invoice_number') = ?",
        document["organization_id"],
        document["id"],
        document["invoice_number"],
    )
    others = (orjson.loads(row["document"]) for row in rows)
    alike = ("supplier_name", "total_amount")
    return any(all(other[key] == document[key] for key in alike) for other in others)
