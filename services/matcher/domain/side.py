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
    return Side(
        id=record.bill_id if isinstance(record, Bill) else record.invoice_id,
        name=name_form(record.supplier_name),
        tax_number=_bare(record.tax_number) if record.tax_number else None,
        total=record.total,
        tax_minor=record.total_tax.minor if record.total_tax else None,
        issue_date=record.issue_date,
        reference=reference_of(record.number),
    )


def _bare(tax_number: str) -> str | None:
    """Without spaces and dots: `FR 12 345` -> `FR12345`."""
    return "".join(character for character in tax_number if character.isalnum()).upper() or None
