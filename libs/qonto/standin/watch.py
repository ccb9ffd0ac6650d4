"""What can be seen from outside, under `/_standin/`: holdings, uploads, calls. JSON, and no authorization."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from aiohttp import web

from libs.qonto.standin.analysis import analyse_due
from libs.qonto.standin.answers import json_answer
from libs.qonto.standin.invoices import shown
from libs.qonto.standin.organizations import organizations
from libs.qonto.standin.store import Row
from libs.qonto.standin.world import WORLD, World

PREFIX: Final = "/_standin"

SENTENCES: Final = {
    "GET /_standin/": "This list.",
    "GET /_standin/holdings": "Counts of each organization: invoices, uploads, attachments, and uploads by file.",
    "GET /_standin/uploads_by_file_name": "How often each file name was uploaded as an invoice; above 1 is twice.",
    "GET /_standin/invoices": "Every invoice, or those of ?organization=, with sha256, idempotency_key and uploaded.",
    "GET /_standin/calls": "How many calls came, by 'METHOD /path/template status'.",
    "GET /_standin/faults": "The faults that wait.",
    "POST /_standin/faults": "Order trouble: method, path, kind, times, after, retry_after.",
    "DELETE /_standin/faults": "Forget the faults that wait.",
    "POST /_standin/records": "Put supplier_invoices and transactions into an organization, in Qonto's shape.",
    "POST /_standin/organizations": "Open an organization: id, name.",
    "GET /_standin/clock": "What time it is here.",
    "POST /_standin/clock": "Move the clock forward: advance_seconds.",
    "GET /_standin/settings": "The settings.",
    "POST /_standin/settings": "Change settings; those not named stay.",
    "POST /_standin/revoke": "End every grant of an organization.",
    "POST /_standin/clients": "Register an OAuth client: client_id, client_secret, redirect_uris.",
    "POST /_standin/tokens": "Tokens without a consent page: organization, scope, client_id.",
    "POST /_standin/reset": "Forget everything but the time.",
}
"""Every path of control, with what it does."""


def add_routes(app: web.Application) -> None:
    """Serve what can be seen."""
    add = app.router
    add.add_get(PREFIX, list_paths)
    add.add_get(f"{PREFIX}/", list_paths)
    add.add_get(f"{PREFIX}/holdings", show_holdings)
    add.add_get(f"{PREFIX}/uploads_by_file_name", show_uploads)
    add.add_get(f"{PREFIX}/invoices", show_invoices)
    add.add_get(f"{PREFIX}/calls", show_calls)


async def list_paths(_request: web.Request) -> web.Response:
    """Every path with its sentence."""
    return json_answer(SENTENCES)


async def show_holdings(request: web.Request) -> web.Response:
    """Counts of each organization."""
    world = request.app[WORLD]
    return json_answer({"organizations": {id_: _holdings(world, id_) for id_, _ in organizations(world)}})


async def show_uploads(request: web.Request) -> web.Response:
    """How often each file name was uploaded."""
    return json_answer(Counter(row["file_name"] for row in _uploads(request.app[WORLD])))


async def show_invoices(request: web.Request) -> web.Response:
    """Every invoice in the order it came."""
    world, wanted = request.app[WORLD], request.query.get("organization")
    for organization_id, _ in organizations(world):
        analyse_due(world, organization_id)
    rows = world.store.rows(
        "select invoices.*, sha256 from invoices left join attachments on attachments.id = invoices.attachment_id "
        "where ?1 is null or invoices.organization_id = ?1 order by seq",
        wanted,
    )
    return json_answer({"invoices": [shown(row) for row in rows]})


async def show_calls(request: web.Request) -> web.Response:
    """How many calls came."""
    rows = request.app[WORLD].store.rows("select name, count from calls order by name")
    return json_answer({row["name"]: row["count"] for row in rows})


def _holdings(world: World, organization_id: str) -> dict[str, Any]:
    uploads = [row for row in _uploads(world) if row["organization_id"] == organization_id]
    return {
        "invoices": world.store.count("select count(*) from invoices where organization_id = ?", organization_id),
        "uploads": len(uploads),
        "attachments": world.store.count("select count(*) from attachments where organization_id = ?", organization_id),
        "transactions": world.store.count(
            "select count(*) from transactions where organization_id = ?", organization_id
        ),
        "uploads_by_sha256": Counter(row["sha256"] for row in uploads),
        "uploads_by_file_name": Counter(row["file_name"] for row in uploads),
    }


def _uploads(world: World) -> list[Row]:
    return world.store.rows(
        "select invoices.organization_id, sha256, file_name from invoices "
        "join attachments on attachments.id = invoices.attachment_id where idempotency_key is not null order by seq"
    )
