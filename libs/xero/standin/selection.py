"""Which records a request asks for: Xero's query parameters as clauses of SQL. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from libs.xero.dates import milliseconds
from libs.xero.standin.kinds import Kind
from libs.xero.standin.normal_form import instant_of

PAGE_SIZE_DEFAULT: Final = 100
PAGE_SIZE_MAX: Final = 1000
"""Records a page. Source: Xero-OpenAPI 16.1.0, parameter `pageSize`; beyond the ends it is clamped."""

UNPAGED_MAX: Final = 100_000
"""Records. A request that touches more is refused: HighVolumeException, ErrorNumber 51."""

ARCHIVED: Final = "ARCHIVED"
"""The status of records that are shown with `includeArchived=true`, or when asked for by id."""

_KNOWN: Final = frozenset({"where", "order", "page", "pageSize", "summaryOnly", "includeArchived", "unitdp"})
_COMPARISON: Final = re.compile(r'\s*([A-Za-z]+)\s*==\s*"([^"]*)"\s*')
_ORDER: Final = re.compile(r"\s*UpdatedDateUTC(?:\s+(ASC|DESC))?\s*", re.IGNORECASE)


class QueryRefused(Exception):
    """The query cannot be answered; the message says what is wrong with it."""


@dataclass(frozen=True)
class Selection:
    """What to read: clauses of SQL with their parameters, an order, and a page (None: the whole list at once)."""

    clauses: tuple[str, ...]
    parameters: tuple[object, ...]
    newest_first: bool
    page: int | None
    page_size: int
    summary_only: bool

    @property
    def limit(self) -> int:
        """Rows to read at most."""
        return UNPAGED_MAX if self.page is None else self.page_size

    @property
    def offset(self) -> int:
        """Rows before the first one to read."""
        return 0 if self.page is None else (self.page - 1) * self.page_size


def selection_of(kind: Kind, query: Mapping[str, str], modified_since: str | None) -> Selection:
    """Read the query of a list.

    Raises:
        QueryRefused: a parameter is unknown to the stand-in, or says what it does not understand. Xero knows more
            parameters and forms of `where`; refusing them beats giving an answer Xero would not give.
    """
    unknown = set(query) - _KNOWN - set(kind.lists)
    if unknown:
        raise QueryRefused(f"The stand-in does not know the parameter {min(unknown)}.")
    clauses: list[str] = []
    parameters: list[object] = []
    for name, column in kind.lists.items():
        if query.get(name):
            values = [value.strip().strip('"') for value in query[name].split(",")]
            clauses.append(f"{column} IN ({', '.join('?' * len(values))})")
            parameters += values
    for column, value in _compared(kind, query.get("where", "")):
        clauses.append(f"{column} = ?")
        parameters.append(value)
    if not _flag(query, "includeArchived") and not query.get("IDs"):
        clauses.append("status IS NOT ?")
        parameters.append(ARCHIVED)
    if modified_since is not None:
        clauses.append("updated_ms >= ?")
        parameters.append(milliseconds(_to_the_second(modified_since)))
    summary_only = _flag(query, "summaryOnly")
    paged = "page" in query or summary_only
    return Selection(
        clauses=tuple(clauses),
        parameters=tuple(parameters),
        newest_first=_newest_first(query.get("order", "")),
        page=max(1, _whole(query, "page", 1)) if paged else None,
        page_size=min(max(1, _whole(query, "pageSize", PAGE_SIZE_DEFAULT)), PAGE_SIZE_MAX),
        summary_only=summary_only,
    )


def _compared(kind: Kind, where: str) -> list[tuple[str, str]]:
    if not where.strip():
        return []
    compared = []
    for part in re.split(r"\s+AND\s+|\s*&&\s*", where):
        match = _COMPARISON.fullmatch(part)
        if match is None or match[1] not in kind.filters:
            raise QueryRefused('The stand-in understands Key=="value", joined by AND, for ' + ", ".join(kind.filters))
        compared.append((kind.filters[match[1]], match[2]))
    return compared


def _newest_first(order: str) -> bool:
    if not order.strip():
        return False
    match = _ORDER.fullmatch(order)
    if match is None:
        raise QueryRefused("The stand-in orders by UpdatedDateUTC, ASC or DESC.")
    return (match[1] or "ASC").upper() == "DESC"


def _to_the_second(text: str) -> datetime:
    try:
        moment = instant_of(text)
    except ValueError:
        moment = _http_date(text)
    return moment.replace(microsecond=0)


def _http_date(text: str) -> datetime:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        raise QueryRefused("If-Modified-Since is a time such as 2020-02-06T12:17:43.") from None


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if re.fullmatch(r"-?[0-9]{1,9}", text) is None:
        raise QueryRefused(f"{name} is a whole number.")
    return int(text)


def _flag(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "false").lower() == "true"
