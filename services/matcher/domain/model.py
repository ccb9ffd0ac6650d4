"""The whole model, as one table a bookkeeper can read.

A weight is a log2 likelihood ratio: +3 means that this agreement is 8 times as usual between a bill and its own
supplier invoice as between two that have nothing to do with each other; -3 the reverse. The weights of a candidate are
added to the prior; 0 in sum is an even chance, +10 a thousand to one.

Notes:
    The weights are set by hand: rounded from how often each field is misread or repeated, in the manner of Fellegi and
    Sunter, and never fitted to the benchmark's answers. They err to the side of asking a person. A learned model
    takes their place behind the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

MODEL: Final = "plain-3"
"""The version that stands in every decision. A change of a weight, or of what counts as evidence, is a new one."""

Field = Literal["prior", "counterparty", "amount", "date", "reference"]


@dataclass(frozen=True, slots=True)
class Weight:
    """One line of the model."""

    field: Field
    level: str
    bits: float
    why: str


TABLE: Final = (
    Weight("prior", "any", -14, "of some thousand supplier invoices at Qonto, at most one is this bill"),
    Weight("counterparty", "same_tax_number", 10, "a tax number belongs to one supplier"),
    Weight("counterparty", "same", 8, "the same name; one bill in a few hundred is of the same supplier by chance"),
    Weight("counterparty", "near", 7, "the same name but for one misread or shortened word"),
    Weight("counterparty", "similar", 3, "names that share most of their words or letters"),
    Weight("counterparty", "unknown", 0, "one side names nobody, or only an initial: says nothing"),
    Weight(
        "counterparty", "different", -4, "another name; but trade names differ from legal names, and logos are misread"
    ),
    Weight("amount", "same", 10, "equal to the cent; a thousand other amounts were possible"),
    Weight("amount", "same_repeated", 6, "equal to the cent, but this supplier bills this amount again and again"),
    Weight("amount", "without_tax", 2, "one side is the other without its tax"),
    Weight("amount", "one_digit", -2, "one digit differs: readers do that rarely, prices do it often"),
    Weight("amount", "near", -8, "within one per cent, but not equal"),
    Weight("amount", "unknown", 0, "Qonto has not read an amount: says nothing"),
    Weight("amount", "different", -14, "another amount: almost surely another bill"),
    Weight("date", "same", 6, "the same day; a few hundred others were possible"),
    Weight("date", "turned", 3, "day and month are in each other's place"),
    Weight("date", "within_week", 0, "some days beside: the day of delivery or of the letter"),
    Weight("date", "unknown", 0, "one side has no date: says nothing"),
    Weight("date", "within_month", -4, "some weeks apart: rather the next bill of the same kind"),
    Weight("date", "far", -8, "more than a month apart"),
    Weight("reference", "same", 12, "the same invoice number"),
    Weight("reference", "look_alike", 11, "the same number but for O read as 0, I as 1 and the like"),
    Weight("reference", "same_short", 4, "the same number, but of so few digits that others have it too"),
    Weight("reference", "contained", 4, "one number is the start or the end of the other"),
    Weight("reference", "one_edit", 2, "one character more or less in a long number"),
    Weight("reference", "unknown", 0, "a number is missing, is a date, or may have been read in part: says nothing"),
    Weight("reference", "differs_short", -4, "two numbers of few digits that differ: easily misread, or another bill"),
    Weight("reference", "differs", -10, "both have a number, and they differ"),
)

BITS: Final[dict[tuple[str, str], float]] = {(weight.field, weight.level): weight.bits for weight in TABLE}

PRIOR_BITS: Final = BITS["prior", "any"]
