"""A Qonto supplier invoice in our form.

Source of the field names and states: docs.qonto.com, supplier invoices (list), and facts collected from live probes:
amounts are `{"value": "<decimal text>", "currency": "EUR"}`, everything read by OCR is null until it was analysed.
"""

from __future__ import annotations

from collections.abc import Mapping

from libs.contracts.entities import QontoInvoice
from libs.contracts.money import Money
from services.ingest.domain.reading import Words, iso_date, iso_instant, money, required_id, required_text, text
from services.ingest.domain.withdrawal import Withdrawal


def read_supplier_invoice(words: Words) -> QontoInvoice | Withdrawal:
    """A supplier invoice, with None for what Qonto has not read off the document, or not so that we can use it.

    A deleted one is a withdrawal. One that was rejected or discarded is not: a bill that agrees with it must not be
    posted unseen, even if nobody here knew it before. A state we do not know is kept as it is written, since Qonto adds
    states within a version of its interface.

    Raises:
        Malformed: It has no id or no status.
    """
    invoice_id = required_id(words, "id")
    status = required_text(words, "status")
    if words.get("deleted_at"):
        return Withdrawal("deleted", "The supplier invoice was deleted in Qonto.")
    return QontoInvoice(
        invoice_id=invoice_id,
        status=status,
        number=text(words, "invoice_number"),
        supplier_name=text(words, "supplier_name"),
        tax_number=text(words, "vat_number") or text(words, "tin"),
        issue_date=iso_date(words, "issue_date"),
        due_date=iso_date(words, "due_date"),
        total=_amount(words, "total_amount"),
        total_tax=_amount(words, "total_tax_amount"),
        file_name=text(words, "file_name"),
        attachment_id=text(words, "attachment_id"),
        is_credit_note=words.get("is_credit_note") is True,
        is_einvoice=words.get("is_einvoice") is True,
        has_duplicates=words.get("has_duplicates") is True,
        created_at=iso_instant(words, "created_at"),
        analyzed_at=iso_instant(words, "analyzed_at"),
    )


def _amount(words: Words, field: str) -> Money | None:
    """An amount that can be read. What OCR garbled is as good as not read: there is then no amount to compare."""
    amount = words.get(field)
    if not isinstance(amount, Mapping):
        return None
    found, _ = money(amount.get("value"), amount.get("currency"), field=field)
    return found
