"""Organizations, and the addresses of theirs that are gone.

Source: Qonto's Postman collection, "Retrieve the authenticated organization", and docs.qonto.com
guides/migrations/deprecated-organization-endpoints.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import orjson
from aiohttp import web

from libs.qonto.standin.answers import Refusal, json_answer
from libs.qonto.standin.grants import organization_of
from libs.qonto.standin.store import written
from libs.qonto.standin.world import WORLD, World


def open_organization(world: World, organization_id: str, name: str) -> None:
    """Open an organization, or give it another name."""
    document = orjson.dumps(_document(organization_id, name, world.now())).decode()
    world.store.run(
        "insert into organizations (id, document) values (?, ?) "
        "on conflict (id) do update set document = excluded.document",
        organization_id,
        document,
    )


def organizations(world: World) -> list[tuple[str, str]]:
    """Id and name of every organization, the oldest first."""
    rows = world.store.rows("select id, document from organizations order by seq")
    return [(row["id"], orjson.loads(row["document"])["name"]) for row in rows]


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


def _document(organization_id: str, name: str, now: datetime) -> dict[str, Any]:
    """An organization with a main account, a closed one, and one at another bank."""
    slug = "-".join(name.lower().split())
    accounts = [
        _account(organization_id, slug, 1, "Compte principal", now, main=True),
        _account(organization_id, slug, 2, "Ancien compte", now, status="closed"),
        _account(organization_id, slug, 3, "Compte externe", now, external=True),
    ]
    return {
        "id": organization_id,
        "slug": slug,
        "name": name,
        "legal_name": name,
        "locale": "fr",
        "legal_country": "FR",
        "legal_number": "732829320",
        "legal_form": "SAS",
        "legal_address": "8 quai Saint-Antoine, 69002 Lyon",
        "legal_sector": "ConstructionAndBuildings",
        "legal_share_capital": 10000,
        "legal_registration_date": "2019-04-01",
        "contract_signed_at": "2019-04-15T09:00:00.000Z",
        "bank_accounts": accounts,
    }


def _account(
    organization_id: str,
    slug: str,
    number: int,
    name: str,
    now: datetime,
    *,
    status: str = "active",
    main: bool = False,
    external: bool = False,
) -> dict[str, Any]:
    return {
        "id": str(uuid5(_namespace(organization_id), str(number))),
        "slug": f"{slug}-bank-account-{number}",
        "iban": f"FRXXXXXXXXXXXXXXXXXXXXXXX{number:02d}",
        "bic": "QNTOFRP1XXX",
        "currency": "EUR",
        "balance": 0.0,
        "balance_cents": 0,
        "authorized_balance": 0.0,
        "authorized_balance_cents": 0,
        "name": name,
        "status": status,
        "main": main,
        "is_external_account": external,
        "account_number": None,
        "updated_at": written(now),
    }


def _namespace(organization_id: str) -> UUID:
    try:
        return UUID(organization_id)
    except ValueError:
        return uuid5(UUID(int=0), organization_id)
