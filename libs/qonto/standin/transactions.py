"""`GET /v2/transactions` and one of them: read only, as there. Source: docs.qonto.com, "List transactions"."""

from __future__ import annotations

from typing import Final

import orjson
from aiohttp import web

from libs.qonto.standin.answers import Refusal, json_answer
from libs.qonto.standin.grants import organization_of
from libs.qonto.standin.listing import instant, meta_of, page_wanted
from libs.qonto.standin.store import Value
from libs.qonto.standin.world import WORLD

_EQUAL: Final = ("bank_account_id", "side")
_AMONG: Final = ("status", "operation_type")
_SORTABLE: Final = ("updated_at", "settled_at", "emitted_at")


async def list_transactions(request: web.Request) -> web.Response:
    """A page of an organization's transactions."""
    world, query = request.app[WORLD], request.query
    organization_id = organization_of(world, request.headers.get("Authorization", ""), "organization.read")
    wheres = ["organization_id = ?"]
    held: list[Value] = [organization_id]
    for name in _EQUAL:
        if name in query:
            wheres.append(f"json_extract(document, '$.{name}') = ?")
            held.append(query[name])
    for name in _AMONG:
        wanted = query.getall(f"{name}[]", [])
        if wanted:
            wheres.append(f"json_extract(document, '$.{name}') in ({', '.join('?' * len(wanted))})")
            held.extend(wanted)
    for name, sign in (("updated_at_from", ">="), ("updated_at_to", "<=")):
        if name in query:
            wheres.append(f"updated_at {sign} ?")
            held.append(instant(query[name], name))
    page, per_page = page_wanted(query)
    sql = " and ".join(wheres)
    total = world.store.count(f"select count(*) from transactions where {sql}", *held)  # noqa: S608  our own words
    order = _order(query.get("sort_by", "settled_at:desc"))
    rows = world.store.rows(
        f"select document from transactions where {sql} order by {order} limit ? offset ?",  # noqa: S608  the same
        *held,
        per_page,
        (page - 1) * per_page,
    )
    shown = [orjson.loads(row["document"]) for row in rows]
    return json_answer({"transactions": shown, "meta": meta_of(page, per_page, total)})


async def show_transaction(request: web.Request) -> web.Response:
    """One transaction."""
    world = request.app[WORLD]
    row = world.store.row(
        "select document from transactions where id = ? and organization_id = ?",
        request.match_info["id"],
        organization_of(world, request.headers.get("Authorization", ""), "organization.read"),
    )
    if row is None:
        raise Refusal(404, "not_found", "Transaction not found", {"parameter": "id"})
    return json_answer({"transaction": orjson.loads(row["document"])})


def _order(wanted: str) -> str:
    name, _, direction = wanted.partition(":")
    if name not in _SORTABLE or direction not in {"asc", "desc"}:
        raise Refusal(400, "invalid", "sort_by must be property:asc or property:desc", {"parameter": "sort_by"})
    column = name if name == "updated_at" else f"json_extract(document, '$.{name}')"
    return f"{column} {direction}, seq {direction}"
