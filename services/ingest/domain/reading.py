"""Reads fields of a provider's JSON: what is there and readable, or a defect that says what is not.

Money arrives as decimal text or as a whole number. A JSON number with a decimal point has passed a float somewhere and
is refused, since its cents can no longer be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from itertools import chain
from typing import Any, Final, TypeAlias

from libs.contracts.entities import NAME_MAX, Defect
from libs.contracts.errors import Malformed
from libs.contracts.money import Money, money_from_text

Words: TypeAlias = Mapping[str, Any]
"""A provider's record as it came: a JSON object."""


ID_MAX: Final = 200
"""Codepoints. Both providers name records by UUIDs of 36; what is far longer is no name, and would fill an index."""


def usable_id(value: object) -> str | None:
    """An id that can name a record; None for anything else.

    JSON can hold what text of a database or of UTF-8 cannot: a zero character, for which there is no id, and half a
    surrogate pair, which becomes a question mark as in the words that are kept.
    """
    mended = _mended(value) if isinstance(value, str) else ""
    return mended if 0 < len(mended) <= ID_MAX and mended.isprintable() else None


def required_id(words: Words, field: str) -> str:
    """The provider's id.

    Raises:
        Malformed: `no_id` when there is none, or none that can name a record.
    """
    value = usable_id(words.get(field))
    if value is None:
        raise Malformed(f"The record has no {field} that can name it.", code="no_id")
    return value


def required_text(words: Words, field: str) -> str:
    """A text without which the record is no record of its kind.

    Raises:
        Malformed: `no_<field>` when there is none.
    """
    value = text(words, field)
    if value is None:
        raise Malformed(f"The record has no {field}.", code=f"no_{field.lower()}")
    return value


def text(words: Words, field: str) -> str | None:
    """A text, trimmed and at most `NAME_MAX` codepoints; None when there is none or it is empty.

    Zero characters are left out, and half a surrogate pair becomes a question mark.
    """
    value = words.get(field)
    if not isinstance(value, str):
        return None
    return _mended(value).replace("\0", "").strip()[:NAME_MAX] or None


def _mended(value: str) -> str:
    return value.encode(errors="replace").decode()


def money(amount: object, currency: object, *, field: str) -> tuple[Money | None, tuple[Defect, ...]]:
    """An amount in a currency, or None and the defect that says why not. A missing amount is None without a defect."""
    if amount is None:
        return None, ()
    if isinstance(amount, bool | float) or not isinstance(amount, str | int):
        return None, (Defect(code="bad_amount", sentence=f"The {field} is not written as a decimal number."),)
    if not isinstance(currency, str) or not currency:
        return None, (Defect(code="no_currency", sentence=f"The {field} has no currency."),)
    try:
        return money_from_text(str(amount), currency), ()
    except Malformed as error:
        return None, (Defect(code=error.code, sentence=f"The {field} cannot be read. {error.sentence}"),)


def iso_date(words: Words, field: str) -> date | None:
    """A calendar date `YYYY-MM-DD`; None when there is none or it cannot be read."""
    value = words.get(field)
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


def iso_instant(words: Words, field: str) -> datetime | None:
    """An instant in RFC 3339 with its offset, in UTC; None when there is none or it cannot be read.

    The first day of the calendar, a program's way to say "never", lies before it in UTC when its offset is ahead.
    """
    value = words.get(field)
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(value)
        return instant.astimezone(UTC) if instant.tzinfo else None
    except (ValueError, OverflowError):
        return None


def unlike(first: tuple[Defect, ...], *others: tuple[Defect, ...]) -> tuple[Defect, ...]:
    """All defects in their order, each code once: a currency that spoils two amounts is one thing to mend."""
    kept: dict[str, Defect] = {}
    for defect in chain(first, *others):
        kept.setdefault(defect.code, defect)
    return tuple(kept.values())
