"""`GET /v2/supplier_invoices`: its filters, its order, its pages.

Source: docs.qonto.com, "List supplier invoices" and "Pagination"; Qonto's Postman collection for the filters' names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

import orjson
from aiohttp import web
from multidict import MultiMapping

from libs.qonto.standin.analysis import analyse_due, analyse_if_due
from libs.qonto.standin.answers import Refusal, json_answer
from libs.qonto.standin.grants import organization_of
from libs.qonto.standin.invoices import row_of
from libs.qonto.standin.store import Value, micros_of
from libs.qonto.standin.world import WORLD

PER_PAGE_MAX: Final = 100
"""Records a page, which is also the usual number. Source: "Pagination"."""

Where = tuple[str, list[Value]]
"""A condition in SQL and its values."""

SORTABLE: Final = {
    "updated_at": "updated_at",
    "created_at": "created_at",
    "status": "status",
    "due_date": "json_extract(document, '$.due_date')",
    "issue_date": "json_extract(document, '$.issue_date')",
    "supplier_name": "json_extract(document, '$.supplier_name')",
    "file_name": "json_extract(document, '$.file_name')",
}

SEARCHABLE: Final = ("supplier_name", "invoice_number", "file_name", "description")
"""Fields `query_fields` may name. The allowed names are nowhere published; these are what an inbox searches."""

_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_DUE: Final = "json_extract(document, '$.due_date')"


async def list_invoices(request: web.Request) -> web.Response:
    """A page of an organization's invoices."""
    world = request.app[WORLD]
    organization_id = organization_of(world, request.headers.get("Authorization", ""), "supplier_invoice.read")
    analyse_due(world, organization_id)
    wheres = _wheres(request.query, world.now().date())
    order = _order(request.query.get("sort_by", "created_at:desc"), SORTABLE)
    page, per_page = page_wanted(request.query)
    sql = " and ".join(["organization_id = ?", *(where for where, _ in wheres)])
    values = [organization_id, *(value for _, held in wheres for value in held)]
    total = world.store.count(f"select count(*) from invoices where {sql}", *values)  # noqa: S608  our own words only
    rows = world.store.rows(
        f"select document from invoices where {sql} order by {order} limit ? offset ?",  # noqa: S608  the same
        *values,
        per_page,
        (page - 1) * per_page,
    )
    documents = ",".join(row["document"] for row in rows)
    meta = orjson.dumps(meta_of(page, per_page, total)).decode()
    body = f'{{"supplier_invoices":[{documents}],"meta":{meta}}}'
    return web.Response(text=body, content_type="application/json")


async def show_invoice(request: web.Request) -> web.Response:
    """One invoice."""
    world, invoice_id = request.app[WORLD], request.match_info["id"]
    organization_id = organization_of(world, request.headers.get("Authorization", ""), "supplier_invoice.read")
    analyse_if_due(world, invoice_id)
    row = row_of(world, organization_id, invoice_id)
    return json_answer({"supplier_invoice": orjson.loads(row["document"])})


def page_wanted(query: Mapping[str, str]) -> tuple[int, int]:
    """`page` and `per_page`; `current_page` is ignored, as clients have found (qonto-mcp-server issues 14 and 17)."""
    page, per_page = query.get("page", "1"), query.get("per_page", str(PER_PAGE_MAX))
    if not _NUMBER.fullmatch(page) or int(page) < 1:
        raise Refusal(400, "invalid", "page must be 1 or more", {"parameter": "page"})
    if not _NUMBER.fullmatch(per_page) or not 1 <= int(per_page) <= PER_PAGE_MAX:
        raise Refusal(400, "invalid", f"per_page must be 1 to {PER_PAGE_MAX}", {"parameter": "per_page"})
    return int(page), int(per_page)


def meta_of(page: int, per_page: int, total: int) -> dict[str, int | None]:
    """Where a page stands."""
    pages = -(-total // per_page)
    return {
        "current_page": page,
        "next_page": page + 1 if page < pages else None,
        "prev_page": page - 1 if page > 1 else None,
        "total_pages": pages,
        "total_count": total,
        "per_page": per_page,
    }


def instant(text: str, name: str) -> int:
    """An instant of a filter, as the store counts.

    Raises:
        Refusal: 400 when it is no RFC 3339.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Refusal(400, "invalid", "not an RFC 3339 date-time", {"parameter": name})
    return micros_of(moment)


def _order(wanted: str, sortable: Mapping[str, str]) -> str:
    name, _, direction = wanted.partition(":")
    if name not in sortable or direction not in {"asc", "desc"}:
        raise Refusal(400, "invalid", "sort_by must be property:asc or property:desc", {"parameter": "sort_by"})
    return f"{sortable[name]} {direction}, seq {direction}"


def _wheres(query: MultiMapping[str], today: date) -> list[Where]:
    found: list[Where] = []
    for name in dict.fromkeys(name for name in query if name.startswith("filter[")):
        inner = name.removeprefix("filter[").removesuffix("[]").removesuffix("]")
        rule = _FILTERS.get(inner)
        if rule is None:
            # Qonto knows more filters than this; to ignore one would give a caller rows it did not ask for.
            raise Refusal(400, "invalid", "the stand-in does not serve this filter", {"parameter": name})
        found.append(rule(query.getall(name), name, today))
    if ("query" in query) != ("query_fields" in query):
        raise Refusal(400, "invalid", "query and query_fields go together", {"parameter": "query"})
    if "query" in query:
        found.append(_search(query["query"], query["query_fields"].split(",")))
    return found


Rule = Callable[[list[str], str, date], Where]


def _among(column: str) -> Rule:
    def where(texts: list[str], _name: str, _today: date) -> Where:
        return f"{column} in ({', '.join('?' * len(texts))})", list(texts)

    return where


def _bound(column: str, sign: str) -> Rule:
    def where(texts: list[str], name: str, _today: date) -> Where:
        return f"{column} {sign} ?", [instant(texts[-1], name)]

    return where


def _boolean(condition: str) -> Rule:
    def where(texts: list[str], name: str, _today: date) -> Where:
        if texts[-1] not in {"true", "false"}:
            raise Refusal(400, "invalid", "not a boolean", {"parameter": name})
        return (condition if texts[-1] == "true" else f"not ({condition})"), []

    return where


def _due_date(texts: list[str], name: str, today: date) -> Where:
    kinds: dict[str, Where] = {
        "past_and_today": (f"{_DUE} <= ?", [today.isoformat()]),
        "future": (f"{_DUE} > ?", [today.isoformat()]),
        "missing_date": (f"{_DUE} is null", []),
    }
    if texts[-1] not in kinds:
        raise Refusal(400, "invalid", "past_and_today, future or missing_date", {"parameter": name})
    return kinds[texts[-1]]


def _document_type(texts: list[str], name: str, _today: date) -> Where:
    if set(texts) != {"duplicates"}:
        raise Refusal(400, "invalid", "only duplicates", {"parameter": name})
    return "json_extract(document, '$.has_duplicates')", []


def _issue_date_from(texts: list[str], _name: str, _today: date) -> Where:
    return "json_extract(document, '$.issue_date') >= ?", [texts[-1]]


def _exclude_credit_notes(texts: list[str], _name: str, _today: date) -> Where:
    return ("not json_extract(document, '$.is_credit_note')" if texts[-1] == "true" else "true"), []


def _search(wanted: str, names: list[str]) -> Where:
    unknown: Any = next((name for name in names if name not in SEARCHABLE), None)
    if unknown is not None:
        raise Refusal(400, "invalid", "unknown query_fields", {"parameter": "query_fields"})
    tests = [f"instr(lower(json_extract(document, '$.{name}')), lower(?)) > 0" for name in names]
    return f"({' or '.join(tests)})", [wanted] * len(names)


_FILTERS: Final[Mapping[str, Rule]] = {
    "status": _among("status"),
    "attachment_id": _among("attachment_id"),
    "created_at_from": _bound("created_at", ">="),
    "created_at_to": _bound("created_at", "<="),
    "updated_at_from": _bound("updated_at", ">="),
    "updated_at_to": _bound("updated_at", "<="),
    "due_date": _due_date,
    "issue_date_from": _issue_date_from,
    "document_type": _document_type,
    "exclude_credit_notes": _exclude_credit_notes,
    "missing_data": _boolean(f"json_extract(document, '$.total_amount') is null or {_DUE} is null"),
    "matched_transactions": _boolean("json_array_length(document, '$.matched_transactions') > 0"),
}
