"""`GET /v2/transactions`, `GET /v2/organization`, and the addresses that are gone.

Source: docs.qonto.com, "List transactions", "Retrieve the authenticated organization", and
guides/migrations/deprecated-organization-endpoints.
"""

from __future__ import annotations

from typing import Any, Final

import orjson
from aiohttp import web

from libs.qonto.standin.answers import Refusal, json_answer
from libs.qonto.standin.grants import organization_of, revoke_organization
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
    wheres, values = ["organization_id = ?"], [organization_id]
    held: list[Value] = list(values)
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


async def show_organization(request: web.Request) -> web.Response:
    """The organization the token is bound to; accounts elsewhere only when asked for."""
    world = request.app[WORLD]
    organization_id = organization_of(world, request.headers.get("Authorization", ""), "organization.read")
    row = world.store.row("select document from organizations where id = ?", organization_id)
    if row is None:
        raise Refusal(404, "not_found", "Organization not found")
    document: dict[str, Any] = orjson.loads(row["document"])
    if request.query.get("include_external_accounts") != "true":
        accounts = document["bank_accounts"]
        document["bank_accounts"] = [account for account in accounts if not account["is_external_account"]]
    return json_answer({"organization": document})


async def gone(_request: web.Request) -> web.Response:
    """The addresses with a slug, answered 410 since 2026-11-15."""
    raise Refusal(410, "gone", "This endpoint is gone. Use GET /v2/organization.")


async def revoke_consents(request: web.Request) -> web.Response:
    """End every grant of the organization."""
    world = request.app[WORLD]
    organization_id = organization_of(world, request.headers.get("Authorization", ""), "organization.read")
    revoke_organization(world, organization_id)
    return web.Response(status=204)


def _order(wanted: str) -> str:
    name, _, direction = wanted.partition(":")
    if name not in _SORTABLE or direction not in {"asc", "desc"}:
        raise Refusal(400, "invalid", "sort_by must be property:asc or property:desc", {"parameter": "sort_by"})
    column = name if name == "updated_at" else f"json_extract(document, '$.{name}')"
    return f"{column} {direction}, seq {direction}"
