"""What is compared of a bill or of a supplier invoice: the same few fields, whoever holds it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from libs.contracts.entities import Bill, QontoInvoice
from libs.contracts.money import Money
from services.matcher.domain.names import NameForm, name_form
from services.matcher.domain.references import Reference, reference_of


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison. None is what its provider does not say, or has not read yet."""

    id: str
    name: NameForm | None
    tax_number: str | None
    total: Money | None
    tax_minor: int | None
    issue_date: date | None
    reference: Reference | None


def side_of(record: Bill | QontoInvoice) -> Side:
    """The fields of a record that are compared."""
    tax_number = "".join(character for character in record.tax_number or "" if character.isalnum()).upper()
    return Side(
        id=record.bill_id if isinstance(record, Bill) else record.invoice_id,
        name=name_form(record.supplier_name),
        tax_number=tax_number or None,
        total=record.total,
        tax_minor=record.total_tax.minor if record.total_tax else None,
        issue_date=record.issue_date,
        reference=reference_of(record.number),
    )
