"""What may be ordered from outside, under `/_standin/`: records, time, trouble. JSON, and no authorization."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar
from uuid import uuid4

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from libs.qonto.standin import grants, records
from libs.qonto.standin.answers import Refusal, json_answer
from libs.qonto.standin.beginning import DEFAULT_CLIENT, DEFAULT_ORGANIZATION, begin
from libs.qonto.standin.faults import Fault
from libs.qonto.standin.oauth import SCOPES
from libs.qonto.standin.organizations import open_organization, organizations
from libs.qonto.standin.watch import PREFIX
from libs.qonto.standin.world import WORLD, World


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
    """Serve the orders."""
    add = app.router
    add.add_get(f"{PREFIX}/faults", show_faults)
    add.add_post(f"{PREFIX}/faults", add_fault)
    add.add_delete(f"{PREFIX}/faults", forget_faults)
    add.add_post(f"{PREFIX}/records", put_records)
    add.add_post(f"{PREFIX}/organizations", add_organization)
    add.add_get(f"{PREFIX}/clock", show_clock)
    add.add_post(f"{PREFIX}/clock", advance_clock)
    add.add_get(f"{PREFIX}/settings", show_settings)
    add.add_post(f"{PREFIX}/settings", change_settings)
    add.add_post(f"{PREFIX}/revoke", revoke)
    add.add_post(f"{PREFIX}/clients", register_client)
    add.add_post(f"{PREFIX}/tokens", give_tokens)
    add.add_post(f"{PREFIX}/reset", reset)


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
    return json_answer(fault.model_dump())


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
    return json_answer({"supplier_invoices": invoices, "transactions": transactions})


async def add_organization(request: web.Request) -> web.Response:
    """Open an organization."""
    wanted = await _wanted(request, OrganizationWanted)
    open_organization(request.app[WORLD], wanted.id, wanted.name)
    return json_answer(wanted.model_dump())


async def show_clock(request: web.Request) -> web.Response:
    """What time it is here."""
    world = request.app[WORLD]
    return json_answer({"now": world.now().isoformat(), "advanced_seconds": world.advanced_seconds})


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
    return json_answer({"client_id": wanted.client_id, "redirect_uris": wanted.redirect_uris})


async def give_tokens(request: web.Request) -> web.Response:
    """Tokens without a consent page."""
    world, wanted = request.app[WORLD], await _wanted(request, TokensWanted)
    _check_organization(world, wanted.organization)
    tokens = grants.issue(world, grants.grant(world, wanted.client_id, wanted.organization, wanted.scope), wanted.scope)
    return json_answer({"access_token": tokens.access, "refresh_token": tokens.refresh, "scope": tokens.scope})


async def reset(request: web.Request) -> web.Response:
    """Forget everything but the time."""
    request.app[WORLD].forget()
    begin(request.app[WORLD])
    return json_answer({"reset": True})


def _check_organization(world: World, organization_id: str) -> None:
    if organization_id not in dict(organizations(world)):
        raise Refusal(400, "invalid", "No such organization; POST /_standin/organizations opens one.")


async def _wanted(request: web.Request, kind: type[Wanted]) -> Wanted:
    try:
        return kind.model_validate_json(await request.read() or b"{}")
    except ValidationError as error:
        raise Refusal(400, "invalid", str(error)) from None
