"""Invoice numbers as they can be compared, whoever typed or read them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final, Literal

from rapidfuzz.distance import Levenshtein

DIGITS_MIN: Final = 4
"""Digits. Shorter numbers meet by chance: accounted's PR 2674 tells of a wrong supplier settled on two digits."""

ONE_EDIT_MIN: Final = 6
"""Characters. In a shorter number one edit is too large a part of it to be called a slip."""

CONTAINED_MIN: Final = 5
"""Characters. A shorter tail stands in too many longer numbers."""

NUMBERS_REMEMBERED: Final = 20_000
"""Numbers. About 6 MB: those of the bills and supplier invoices that are compared again and again in one batch."""

_YEARS: Final = range(1990, 2100)
_DATE_TEXT: Final = re.compile(r"\s*(\d{1,4})[-/. ](\d{1,2})[-/. ](\d{1,4})\s*")
_LOOK_ALIKE: Final = str.maketrans("OILSBZ", "011582")
_ZEROS: Final = re.compile(r"(?<!\d)0+(?=\d)")

Level = Literal["same", "look_alike", "same_short", "contained", "one_edit", "differs", "differs_short", "unknown"]


@dataclass(frozen=True, slots=True)
class Reference:
    """A number as it is compared.

    Attributes:
        plain: Capitals and digits only, zeros at the front of each run of digits gone.
        look_alike: The same with letters that machines confuse with digits made digits.
        is_strong: Enough digits, and no date: equality says that it is this bill.
        is_short: Fewer digits, and no date: equality says something, beside a supplier and an amount.
    """

    plain: str
    look_alike: str
    is_strong: bool
    is_short: bool


@lru_cache(maxsize=NUMBERS_REMEMBERED)
def reference_of(number: str | None) -> Reference | None:
    """The number as it is compared; None when there is none, or nothing but marks."""
    text = unicodedata.normalize("NFKC", number or "").upper()
    kept = "".join(character for character in text if character.isalnum())
    if not kept:
        return None
    plain = _ZEROS.sub("", kept)
    alike = _ZEROS.sub("", kept.replace("RN", "M").translate(_LOOK_ALIKE))
    digits = sum(character.isdigit() for character in kept)
    is_date = _is_date(text, kept)
    return Reference(plain, alike, digits >= DIGITS_MIN and not is_date, digits < DIGITS_MIN and not is_date)


def compare_references(ours: Reference | None, theirs: Reference | None) -> Level:
    """How two numbers agree. A digit read as another digit is a difference: the next bill's number looks just so."""
    if ours is None or theirs is None:
        return "unknown"
    if not (ours.is_strong and theirs.is_strong):
        return _compare_short(ours, theirs)
    if ours.plain == theirs.plain:
        return "same"
    if ours.look_alike == theirs.look_alike:
        return "look_alike"
    return _compare_unlike(ours.look_alike, theirs.look_alike)


def _compare_unlike(ours: str, theirs: str) -> Level:
    short, long = sorted((ours, theirs), key=len)
    if len(short) >= CONTAINED_MIN and (long.startswith(short) or long.endswith(short)):
        return "contained"
    if (
        len(short) >= ONE_EDIT_MIN
        and len(short) != len(long)
        and Levenshtein.distance(short, long, score_cutoff=1) == 1
    ):
        return "one_edit"
    return "differs"


def _compare_short(ours: Reference, theirs: Reference) -> Level:
    """At least one is short; one that holds the other may be the same, read in part, and says nothing."""
    if not all(one.is_strong or one.is_short for one in (ours, theirs)):
        return "unknown"
    if ours.look_alike == theirs.look_alike:
        return "same_short"
    short, long = sorted((ours.look_alike, theirs.look_alike), key=len)
    return "unknown" if short in long else "differs_short"


def _is_date(text: str, kept: str) -> bool:
    """Whether the number is nothing but a date: `04/01/2011`, `2011-01-04`, `20110104`."""
    parts = _DATE_TEXT.fullmatch(text)
    if parts:
        return _any_date(*(int(part) for part in parts.groups()))
    if len(kept) != len("20110104") or not kept.isdecimal():
        return False
    year_first = (int(kept[:4]), int(kept[4:6]), int(kept[6:]))
    day_first = (int(kept[:2]), int(kept[2:4]), int(kept[4:]))
    return _any_date(*year_first) or _any_date(*day_first)


def _any_date(first: int, month: int, last: int) -> bool:
    year, day = (first, last) if first in _YEARS else (last, first)
    if year not in _YEARS:
        return False
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
