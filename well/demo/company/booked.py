"""A bill as the made-up company books it, before it takes any provider's shape."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from libs.contracts.money import Money
from libs.paper import Language

PER_MILLE: Final = 1000
"""Tax rates are whole per mille: 5.5 % is 55, and no float is near."""

Kind = Literal["ACCPAY", "ACCPAYCREDIT", "ACCREC"]
"""A bill, a supplier's credit, a sales invoice. Source: Xero-OpenAPI 16.1.0, Invoice.Type."""

Status = Literal["DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED"]
"""Source: Xero-OpenAPI 16.1.0, Invoice.Status."""

Attached = Literal["nothing", "paper", "broken"]
"""What hangs on the bill in Xero: no file, the supplier's PDF, or a PDF that was cut off on its way."""


@dataclass(frozen=True, slots=True)
class Supplier:
    """Who sends bills. `contact_id` is its id in Xero; `tax_per_mille` is what it puts on top of its net amounts."""

    contact_id: str
    name: str
    address: tuple[str, ...]
    vat_number: str | None
    iban: str | None
    language: Language
    currency: str
    tax_per_mille: int
    is_archived: bool = False
    merged_into: str | None = None


@dataclass(frozen=True, slots=True)
class BookedLine:
    """One line: `quantity` pieces at `unit`, neither ever negative; what was negative is a credit of its own kind."""

    description: str
    quantity: int
    unit: Money
    tax_per_mille: int

    @property
    def net(self) -> Money:
        """Quantity times unit price."""
        return Money(minor=self.quantity * self.unit.minor, currency=self.unit.currency)

    @property
    def tax(self) -> Money:
        """The tax on this line alone, halves rounded up: Xero rounds per line, then sums."""
        minor = (self.net.minor * self.tax_per_mille + PER_MILLE // 2) // PER_MILLE
        return Money(minor=minor, currency=self.unit.currency)


@dataclass(frozen=True, slots=True)
class BookedBill:
    """A bill in the books.

    `touched_at` is when it was last changed in Xero, in UTC. `padding_bytes` makes its PDF larger than its page.
    """

    bill_id: str
    supplier: Supplier
    number: str | None
    issue_date: date
    due_date: date | None
    lines: tuple[BookedLine, ...]
    touched_at: datetime
    kind: Kind = "ACCPAY"
    status: Status = "AUTHORISED"
    attached: Attached = "paper"
    padding_bytes: int = 0

    @property
    def currency(self) -> str:
        """The one currency of all its lines."""
        return self.lines[0].unit.currency

    @property
    def net(self) -> Money:
        """The lines without tax."""
        return Money(minor=sum(line.net.minor for line in self.lines), currency=self.currency)

    @property
    def tax(self) -> Money:
        """The taxes of the lines."""
        return Money(minor=sum(line.tax.minor for line in self.lines), currency=self.currency)

    @property
    def total(self) -> Money:
        """Net and tax."""
        return Money(minor=self.net.minor + self.tax.minor, currency=self.currency)
