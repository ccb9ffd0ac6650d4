"""Compares a bill with a supplier invoice, field by field. Each answer is a level of the model's table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from rapidfuzz import fuzz

from libs.contracts.money import Money
from services.matcher.domain.model import BITS, PRIOR_BITS
from services.matcher.domain.names import NameForm, look_alike
from services.matcher.domain.references import compare_references
from services.matcher.domain.side import Side

WEEK_DAYS: Final = 7
"""Days. A bill, its letter and its delivery lie within a week of each other."""

MONTH_DAYS: Final = 31
"""Days. The next bill of a monthly kind is at most so far off."""

NEAR_RATIO: Final = 92.0
"""Per cent of rapidfuzz's `token_sort_ratio`: one letter in a dozen."""

SIMILAR_RATIO: Final = 80.0
"""Per cent of the same. Below it names only share an ending or a trade."""

WHOLE_WORD_MIN: Final = 4
"""Letters. A shared word must be this long before initials around it are believed."""

NAME_PAIRS_REMEMBERED: Final = 100_000
"""Pairs of names, about 15 MB: in one workspace the same pairs come again with every bill of a supplier."""


@dataclass(frozen=True, slots=True)
class Compared:
    """How each field came out, as levels of the model."""

    counterparty: str
    amount: str
    date: str
    reference: str

    @property
    def levels(self) -> tuple[tuple[str, str], ...]:
        """Each field with its level."""
        return (
            ("counterparty", self.counterparty),
            ("amount", self.amount),
            ("date", self.date),
            ("reference", self.reference),
        )

    @property
    def bits(self) -> float:
        """The prior and the weights of all fields."""
        return PRIOR_BITS + sum(BITS[line] for line in self.levels)


def compare(bill: Side, invoice: Side, *, is_repeated: bool) -> Compared:
    """All fields of a pair; `is_repeated` when this supplier bills this amount more than once."""
    return Compared(
        counterparty=compare_counterparties(bill, invoice),
        amount=compare_amounts(bill, invoice, is_repeated=is_repeated),
        date=compare_dates(bill.issue_date, invoice.issue_date),
        reference=compare_references(bill.reference, invoice.reference),
    )


def compare_counterparties(bill: Side, invoice: Side) -> str:
    """The tax number when both have the same, else the names: a tax number that differs may be the buyer's own."""
    if bill.tax_number is not None and bill.tax_number == invoice.tax_number:
        return "same_tax_number"
    if bill.name is None or invoice.name is None:
        return "unknown"
    return "same" if bill.name.core == invoice.name.core else _compare_names(bill.name, invoice.name)


def compare_amounts(bill: Side, invoice: Side, *, is_repeated: bool) -> str:
    """Totals with tax, exact; amounts of two currencies are never compared."""
    ours, theirs = bill.total, invoice.total
    if ours is None or theirs is None:
        return "unknown"
    if ours.currency != theirs.currency:
        return "different"
    if ours.minor == theirs.minor:
        return "same_repeated" if is_repeated else "same"
    if _is_without_tax(ours, bill.tax_minor, theirs) or _is_without_tax(theirs, invoice.tax_minor, ours):
        return "without_tax"
    if _differing_digits(str(ours.minor), str(theirs.minor)) == 1:
        return "one_digit"
    return "near" if abs(ours.minor - theirs.minor) * 100 <= abs(ours.minor) else "different"


def compare_dates(ours: date | None, theirs: date | None) -> str:
    """Days of issue."""
    if ours is None or theirs is None:
        return "unknown"
    if ours == theirs:
        return "same"
    if (ours.year, ours.month, ours.day) == (theirs.year, theirs.day, theirs.month):
        return "turned"
    apart_days = abs((ours - theirs).days)
    if apart_days <= WEEK_DAYS:
        return "within_week"
    return "within_month" if apart_days <= MONTH_DAYS else "far"


@lru_cache(maxsize=NAME_PAIRS_REMEMBERED)
def _compare_names(ours: NameForm, theirs: NameForm) -> str:
    if ours.look_alike == theirs.look_alike:
        return "near"
    if _is_abbreviated(*(tuple(map(look_alike, form.words)) for form in (ours, theirs))):
        return "near" if _shares_a_whole_word(ours, theirs) else "unknown"
    ratio = fuzz.token_sort_ratio(ours.core, theirs.core)
    if ratio >= NEAR_RATIO:
        return "near"
    return "similar" if ratio >= SIMILAR_RATIO or _is_part(ours, theirs) else "different"


def _is_abbreviated(ours: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    """Word by word the same, or an initial of the other: `m bremond`; the first may stand for a hyphenated word."""
    short, long = sorted((ours, theirs), key=len)
    if len(short) < len(long):
        return len(short[0]) == 1 and long[0][0] == short[0] and long[1 - len(short) :] == short[1:] != ()
    return all(
        one == other or (min(len(one), len(other)) == 1 and one[0] == other[0])
        for one, other in zip(ours, theirs, strict=True)
    )


def _shares_a_whole_word(ours: NameForm, theirs: NameForm) -> bool:
    alike = {look_alike(word) for word in ours.words if len(word) >= WHOLE_WORD_MIN}
    return any(look_alike(word) in alike for word in theirs.words)


def _is_part(ours: NameForm, theirs: NameForm) -> bool:
    """All words of the shorter name stand in the longer one, and they are more than one short word."""
    short, long = sorted((ours, theirs), key=lambda name: len(name.words))
    return set(short.words) <= set(long.words) and len(short.look_alike) > WHOLE_WORD_MIN


def _is_without_tax(gross: Money, tax_minor: int | None, net: Money) -> bool:
    return bool(tax_minor) and gross.minor - (tax_minor or 0) == net.minor


def _differing_digits(ours: str, theirs: str) -> int:
    if len(ours) != len(theirs):
        return len(ours)
    return sum(one != other for one, other in zip(ours, theirs, strict=True))
