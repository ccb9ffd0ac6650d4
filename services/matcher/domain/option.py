"""A supplier invoice that a bill may be, compared and with its rivals; and what forbids linking it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from libs.contracts.entities import QontoInvoice
from libs.contracts.events.decided import MAX_CANDIDATES
from libs.contracts.money import Money
from services.matcher.domain.compare import Compared
from services.matcher.domain.confidence import Wanted

PLAUSIBLE_BITS: Final = -8.0
"""Bits. Less than one in 256: twelve of these together do not move a decision, and nobody wants to read them."""

Veto = Literal["currency_differs", "credit_note", "rejected_at_qonto", "claimed_by_other_bill"]

REFUSED: Final = frozenset({"rejected", "discarded"})
"""Source: docs.qonto.com, supplier invoices, statuses."""

VETO_SENTENCES: Final[dict[Veto, str]] = {
    "currency_differs": "Qonto has a supplier invoice like this bill, but in another currency.",
    "credit_note": "Qonto has a document like this bill, but takes it for a credit note.",
    "rejected_at_qonto": "Qonto has this bill, but somebody rejected or discarded it there.",
    "claimed_by_other_bill": "Qonto has a supplier invoice like this bill, but it already belongs to another bill.",
}


@dataclass(frozen=True, slots=True)
class Option:
    """A supplier invoice that this bill may be.

    Attributes:
        invoice: What Qonto holds.
        compared: How the fields came out.
        rival_odds: The sum of the odds of the other bills that want it.
        rivals: How many those are.
        veto: What forbids linking it, whatever its confidence.
    """

    invoice: QontoInvoice
    compared: Compared
    rival_odds: float = 0.0
    rivals: int = 0
    veto: Veto | None = None


def veto_of(total: Money | None, invoice: QontoInvoice, *, is_withdrawn: bool, is_claimed: bool) -> Veto | None:
    """What forbids linking them. It stays a candidate: before anything is posted, a person must see it."""
    if total and invoice.total and total.currency != invoice.total.currency:
        return "currency_differs"
    if invoice.is_credit_note:
        return "credit_note"
    if is_withdrawn or invoice.status in REFUSED:
        return "rejected_at_qonto"
    return "claimed_by_other_bill" if is_claimed else None


def best_of(compared: Iterable[tuple[str, Compared]]) -> list[tuple[str, Compared]]:
    """The plausible supplier invoices, best first; equal ones in the order of their ids."""
    plausible = [(id_, pair) for id_, pair in compared if pair.bits >= PLAUSIBLE_BITS]
    return sorted(plausible, key=lambda one: (-one[1].bits, one[0]))[:MAX_CANDIDATES]


def as_wanted(option: Option) -> Wanted:
    """What the competition needs of it."""
    return Wanted(option.compared.bits, option.rival_odds)
