"""How long an answer asks its caller to wait."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime


def asked_seconds(headers: Mapping[str, str], *, most_seconds: float) -> float | None:
    """The seconds that `Retry-After` asks for, `most_seconds` at most; None when it asks for nothing that can be read.

    A date is counted from the answer's own `Date`, so that a clock of ours that is wrong changes nothing.

    Source: RFC 9110, sections 5.6.7, 6.6.1 and 10.2.3: whole seconds, or a date.
    """
    text = headers.get("Retry-After", "")
    if text.isascii() and text.isdigit():
        return min(float(text), most_seconds)
    until, answered = _date(text), _date(headers.get("Date", ""))
    if until is None or answered is None:
        return None
    return min(max(0.0, (until - answered).total_seconds()), most_seconds)


def _date(text: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return read if read.tzinfo else None
