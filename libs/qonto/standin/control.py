"""What only a stand-in has: a way in for tests and demos, under `/_standin/`. JSON, and no authorization."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Final, TypeVar
from uuid import uuid4

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from libs.qonto.standin import grants, records
from libs.qonto.standin.analysis import analyse_due
from libs.qonto.standin.answers import Refusal, json_answer
from libs.qonto.standin.faults import Fault
from libs.qonto.standin.invoices import shown
from libs.qonto.standin.oauth import SCOPES
from libs.qonto.standin.world import DEFAULT_CLIENT, DEFAULT_ORGANIZATION, WORLD, World

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


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RecordsWanted(_Body):
    """Records to put into an organization."""

    organization: str = str(DEFAULT_ORGANIZATION)
    supplier_invoices: list[dict[str, Any]] = []
    transactions: list[dict[str, Any]] = []


class OrganizationWanted(_Body):
    """An organization to open."""

    id: str = Field(default_factory=lambda: str(uuid4()))
    name: str


class ClockWanted(_Body):
    """How far to move the clock."""

    advance_seconds: Annotated[float, Field(ge=0)]


class ClientWanted(_Body):
    """An OAuth client to register."""

    client_id: str
    client_secret: str
    redirect_uris: list[str] = []
    any_loopback_port: bool = False


class TokensWanted(_Body):
    """Tokens to issue without a person."""

    organization: str = str(DEFAULT_ORGANIZATION)
    scope: str = " ".join(sorted(SCOPES))
    client_id: str = DEFAULT_CLIENT


class Organization(_Body):
    """Which organization is meant."""

    organization: str = str(DEFAULT_ORGANIZATION)


Wanted = TypeVar("Wanted", bound=BaseModel)


def add_routes(app: web.Application) -> None:
    """Serve what `SENTENCES` lists."""
    add = app.router
    add.add_get(f"{PREFIX}/", list_paths)
    add.add_get(f"{PREFIX}/holdings", show_holdings)
    add.add_get(f"{PREFIX}/uploads_by_file_name", show_uploads)
    add.add_get(f"{PREFIX}/invoices", show_invoices)
    add.add_get(f"{PREFIX}/calls", show_calls)
    add.add_get(f"{PREFIX}/faults", show_faults)
    add.add_post(f"{PREFIX}/faults", add_fault)
    add.add_delete(f"{PREFIX}/faults", forget_faults)
    add.add_post(f"{PREFIX}/records", put_records)
    add.add_post(f"{PREFIX}/organizations", open_organization)
    add.add_get(f"{PREFIX}/clock", show_clock)
    add.add_post(f"{PREFIX}/clock", advance_clock)
    add.add_get(f"{PREFIX}/settings", show_settings)
    add.add_post(f"{PREFIX}/settings", change_settings)
    add.add_post(f"{PREFIX}/revoke", revoke)
    add.add_post(f"{PREFIX}/clients", register_client)
    add.add_post(f"{PREFIX}/tokens", give_tokens)
    add.add_post(f"{PREFIX}/reset", reset)


async def list_paths(_request: web.Request) -> web.Response:
    """Every path with its sentence."""
    return json_answer(SENTENCES)


async def show_holdings(request: web.Request) -> web.Response:
    """Counts of each organization."""
    world = request.app[WORLD]
    return json_answer({"organizations": {row["id"]: _holdings(world, row["id"]) for row in _organizations(world)}})


async def show_uploads(request: web.Request) -> web.Response:
    """How often each file name was uploaded."""
    return json_answer(Counter(row["file_name"] for row in _uploads(request.app[WORLD])))


async def show_invoices(request: web.Request) -> web.Response:
    """Every invoice in the order it came."""
    world, wanted = request.app[WORLD], request.query.get("organization")
    for row in _organizations(world):
        analyse_due(world, row["id"])
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


async def show_faults(request: web.Request) -> web.Response:
    """The faults that wait."""
    return json_answer({"faults": [fault.model_dump() for fault in request.app[WORLD].faults.waiting]})


async def add_fault(request: web.Request) -> web.Response:
    """Let a fault wait."""
    fault = await _wanted(request, Fault)
    try:
        request.app[WORLD].faults.add(fault)
    except ValueError as error:
        raise Refusal(400, "limit_reached", str(error)) from None
    return json_answer(fault.model_dump(), 201)


async def forget_faults(request: web.Request) -> web.Response:
    """Forget the faults that wait."""
    request.app[WORLD].faults.waiting.clear()
    return json_answer({"faults": []})


async def put_records(request: web.Request) -> web.Response:
    """Put records into an organization; one that is there already is replaced."""
    world, wanted = request.app[WORLD], await _wanted(request, RecordsWanted)
    _check_organization(world, wanted.organization)
    invoices = records.put_invoices(world, wanted.organization, wanted.supplier_invoices)
    transactions = records.put_transactions(world, wanted.organization, wanted.transactions)
    return json_answer({"supplier_invoices": invoices, "transactions": transactions}, 201)


async def open_organization(request: web.Request) -> web.Response:
    """Open an organization."""
    wanted = await _wanted(request, OrganizationWanted)
    request.app[WORLD].add_organization(wanted.id, wanted.name)
    return json_answer(wanted.model_dump(), 201)


async def show_clock(request: web.Request) -> web.Response:
    """What time it is here."""
    world = request.app[WORLD]
    return json_answer({"now": world.now().isoformat(), "advanced_seconds": world.settings.advanced_seconds})


async def advance_clock(request: web.Request) -> web.Response:
    """Move the clock forward."""
    wanted = await _wanted(request, ClockWanted)
    request.app[WORLD].advance(wanted.advance_seconds)
    return await show_clock(request)


async def show_settings(request: web.Request) -> web.Response:
    """The settings."""
    return json_answer(request.app[WORLD].settings.model_dump())


async def change_settings(request: web.Request) -> web.Response:
    """Change settings."""
    try:
        request.app[WORLD].change_settings(orjson.loads(await request.read()))
    except (orjson.JSONDecodeError, TypeError, ValidationError) as error:
        raise Refusal(400, "invalid", str(error)) from None
    return await show_settings(request)


async def revoke(request: web.Request) -> web.Response:
    """End every grant of an organization."""
    wanted = await _wanted(request, Organization)
    return json_answer({"grants_revoked": grants.revoke_organization(request.app[WORLD], wanted.organization)})


async def register_client(request: web.Request) -> web.Response:
    """Register an OAuth client."""
    wanted = await _wanted(request, ClientWanted)
    grants.add_client(
        request.app[WORLD],
        wanted.client_id,
        wanted.client_secret,
        wanted.redirect_uris,
        any_loopback_port=wanted.any_loopback_port,
    )
    return json_answer({"client_id": wanted.client_id, "redirect_uris": wanted.redirect_uris}, 201)


async def give_tokens(request: web.Request) -> web.Response:
    """Tokens without a consent page."""
    world, wanted = request.app[WORLD], await _wanted(request, TokensWanted)
    _check_organization(world, wanted.organization)
    tokens = grants.issue(world, grants.grant(world, wanted.client_id, wanted.organization, wanted.scope), wanted.scope)
    return json_answer({"access_token": tokens.access, "refresh_token": tokens.refresh, "scope": tokens.scope}, 201)


async def reset(request: web.Request) -> web.Response:
    """Forget everything but the time."""
    request.app[WORLD].reset()
    return json_answer({"reset": True})


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


def _uploads(world: World) -> list[Any]:
    return world.store.rows(
        "select invoices.organization_id, sha256, file_name from invoices "
        "join attachments on attachments.id = invoices.attachment_id where idempotency_key is not null order by seq"
    )


def _organizations(world: World) -> list[Any]:
    return world.store.rows("select id from organizations order by seq")


def _check_organization(world: World, organization_id: str) -> None:
    if not world.store.count("select count(*) from organizations where id = ?", organization_id):
        raise Refusal(400, "invalid", "No such organization; POST /_standin/organizations opens one.")


async def _wanted(request: web.Request, kind: type[Wanted]) -> Wanted:
    try:
        return kind.model_validate_json(await request.read() or b"{}")
    except ValidationError as error:
        raise Refusal(400, "invalid", str(error)) from None
