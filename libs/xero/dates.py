"""Xero's dates: `/Date(1539993600000+0000)/`, milliseconds since 1970 in UTC.

The number alone is the instant. The offset, which may be missing or say `+1300`, tells where the organisation is and
changes nothing. A document's date is midnight UTC of the day printed on it: read in any other zone it is a day off.

Source: developer.xero.com/documentation/api/accounting/requests-and-responses, "JSON responses and date formats".
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from libs.contracts.errors import Malformed

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_XERO_DATE: Final = re.compile(r"/Date\((-?[0-9]{1,15})([+-][0-9]{4})?\)/")


def instant(text: str) -> datetime:
    """The instant, to the millisecond, in UTC.

    Raises:
        Malformed: `bad_date` when the text is not in Xero's form, or lies outside the years 1 to 9999.
    """
    match = _XERO_DATE.fullmatch(text)
    if match is None:
        raise Malformed("A date is not in Xero's form /Date(milliseconds+zone)/.", code="bad_date")
    try:
        return EPOCH + timedelta(milliseconds=int(match[1]))
    except OverflowError:
        raise Malformed("A date lies outside the years 1 to 9999.", code="bad_date") from None


def document_date(text: str) -> date:
    """The calendar date printed on a document: the UTC date of the instant, whatever the offset says.

    Raises:
        Malformed: as `instant`.
    """
    return instant(text).date()


def as_xero_date(moment: datetime) -> str:
    """An aware instant in Xero's form; what is below a millisecond is cut off."""
    return f"/Date({milliseconds(moment)}+0000)/"


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds since 1970 of an aware instant, rounded down."""
    return (moment - EPOCH) // timedelta(milliseconds=1)
