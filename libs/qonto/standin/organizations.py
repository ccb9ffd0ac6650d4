"""What `GET /v2/organization` tells. Source: Qonto's Postman collection, "Retrieve the authenticated organization"."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from libs.qonto.standin.store import written


def organization_document(organization_id: str, name: str, now: datetime) -> dict[str, Any]:
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
