"""What stands on a bill, as values. The recipe of a PDF: small enough to keep where the PDF is not."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from libs.contracts.money import Currency, Money

TEXT_MAX: Final = 500
"""Codepoints. The longest name a provider of ours holds (`libs.contracts.entities.NAME_MAX`)."""

DESCRIPTION_MAX: Final = 4_000
"""Codepoints. Xero's limit for the description of a line."""

LINES_MAX: Final = 100
"""Lines. What does not fit on the one page is counted in words there, and is in the totals all the same."""

PADDING_MAX_BYTES: Final = 30_000_000
"""Bytes. The largest file any page of Xero speaks of is 25 MB; a little above, so that the refusal can be seen."""

Language = Literal["en", "fr", "de"]
Text = Annotated[str, Field(max_length=TEXT_MAX)]


class PaperLine(BaseModel):
    """One row of the table: what, how much of it, and its net amount."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: Annotated[str, Field(max_length=DESCRIPTION_MAX)]
    quantity_text: Annotated[str, Field(max_length=40)]
    net: Money


class Paper(BaseModel):
    """A supplier's bill, ready to be drawn.

    `language` turns headings only; descriptions stand as the supplier wrote them. `padding_bytes` makes the file that
    much larger without changing the page, for files beyond a provider's limit. Amounts are what the supplier printed:
    nobody promises that they add up.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    supplier_name: Text
    supplier_address: tuple[Text, ...] = Field(default=(), max_length=6)
    vat_number: Text | None = None
    iban: Text | None = None
    bill_to: tuple[Text, ...] = Field(default=(), max_length=6)
    number: Text | None = None
    issue_date: date
    due_date: date | None = None
    currency: Currency
    lines: tuple[PaperLine, ...] = Field(default=(), max_length=LINES_MAX)
    net: Money
    tax: Money
    total: Money
    language: Language = "en"
    padding_bytes: Annotated[int, Field(ge=0, le=PADDING_MAX_BYTES)] = 0

    @model_validator(mode="after")
    def _one_currency(self) -> Paper:
        amounts = (self.net, self.tax, self.total, *(line.net for line in self.lines))
        if any(amount.currency != self.currency for amount in amounts):
            raise ValueError("every amount on a bill is in the bill's own currency")
        return self
