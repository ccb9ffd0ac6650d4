"""What Xero's answers look like to us: its own JSON objects, with every number as the text it was written in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

from libs.contracts.errors import Malformed, Transient

Json: TypeAlias = "dict[str, Json] | list[Json] | str | bool | None"
Record: TypeAlias = dict[str, Json]
"""One of Xero's objects, untouched: keys as Xero has them, and numbers (`119.90`, `2`) as text, never a float."""

_COUNT: Final = re.compile(r"[0-9]{1,15}")
"""A longer number counts nothing, and Python refuses to read one of some thousand digits."""

_SENTENCE: Final = "Xero answered with something that is not the JSON it promises."


@dataclass(frozen=True)
class Budget:
    """How many calls are left, as the answer's headers say; None where a header was missing.

    Source: developer.xero.com/documentation/guides/oauth2/limits, "API rate limits".

    Attributes:
        minute_remaining: Calls to this organisation left in this minute, of 60.
        day_remaining: Calls to this organisation left today, of 5,000 (1,000 on the Starter plan).
        app_minute_remaining: Calls of our app to all organisations left in this minute, of 10,000.
    """

    minute_remaining: int | None
    day_remaining: int | None
    app_minute_remaining: int | None


@dataclass(frozen=True)
class Pagination:
    """Where a page stands. Pages count from 1; `page_size` is what Xero gave, not what was asked for."""

    page: int
    page_size: int
    page_count: int
    item_count: int


@dataclass(frozen=True)
class Page:
    """A page of a list, in the order Xero gave it."""

    records: tuple[Record, ...]
    pagination: Pagination
    budget: Budget


@dataclass(frozen=True)
class One:
    """A single object."""

    record: Record
    budget: Budget


@dataclass(frozen=True)
class Many:
    """A list that Xero never pages: the attachments of one document, the connections of one token."""

    records: tuple[Record, ...]
    budget: Budget


@dataclass(frozen=True)
class Content:
    """The bytes of one attachment, and the kind of file Xero says they are."""

    body: bytes
    mime_type: str
    budget: Budget


def budget_in(headers: Mapping[str, str]) -> Budget:
    """The budget an answer's headers tell."""
    return Budget(
        minute_remaining=_count(headers.get("X-MinLimit-Remaining")),
        day_remaining=_count(headers.get("X-DayLimit-Remaining")),
        app_minute_remaining=_count(headers.get("X-AppMinLimit-Remaining")),
    )


def parse(body: bytes) -> Json:
    """Read JSON without ever making a number of it.

    Raises:
        Transient: the bytes are no JSON: a proxy's or a maintenance page, which passes.
    """
    try:
        parsed: Json = json.loads(body, parse_float=str, parse_int=str, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Transient(_SENTENCE) from None
    return parsed


def records_in(answer: Json, key: str) -> tuple[Record, ...]:
    """The objects under `key`, such as the invoices under `Invoices`.

    Raises:
        Malformed: the answer is JSON of another shape.
    """
    records = answer.get(key) if isinstance(answer, dict) else None
    return objects_in(records)


def objects_in(records: Json) -> tuple[Record, ...]:
    """A list of objects.

    Raises:
        Malformed: it is anything else.
    """
    if not isinstance(records, list):
        raise Malformed(_SENTENCE, code="unexpected_shape")
    objects = tuple(record for record in records if isinstance(record, dict))
    if len(objects) != len(records):
        raise Malformed(_SENTENCE, code="unexpected_shape")
    return objects


def pagination_in(answer: Json) -> Pagination:
    """Where a paged answer stands.

    Raises:
        Malformed: the answer does not say; going on would end a pull too early or never.
    """
    stands = answer.get("pagination") if isinstance(answer, dict) else None
    if not isinstance(stands, dict):
        raise Malformed(_SENTENCE, code="unexpected_shape")
    counts = [_count(stands.get(key)) for key in ("page", "pageSize", "pageCount", "itemCount")]
    page, page_size, page_count, item_count = counts
    if page is None or page_size is None or page_count is None or item_count is None:
        raise Malformed(_SENTENCE, code="unexpected_shape")
    return Pagination(page=page, page_size=page_size, page_count=page_count, item_count=item_count)


def _count(text: object) -> int | None:
    return int(text) if isinstance(text, str) and _COUNT.fullmatch(text) else None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
