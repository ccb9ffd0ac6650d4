"""Whose account a consent opens, asked with its first token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import orjson

from libs.contracts.errors import Rejected
from libs.qonto.client import QontoClient
from libs.xero.client import XeroClient
from services.auth.domain.connection import UNKNOWN_ACCOUNT, Account, TokenPair

AccountOf = Callable[[TokenPair], Awaitable[Account]]


def xero_account(client: XeroClient) -> AccountOf:
    """The organisation that was just consented to.

    A Xero user who connected others before has them all in one token's list; the newest is the one of this consent.
    Source: developer.xero.com, OAuth 2.0, "Check the tenants you're authorized to access".
    """

    async def account_of(pair: TokenPair) -> Account:
        records = (await client.connections(pair.access)).records
        if not records:
            raise Rejected("No organisation was chosen at Xero. Start again and choose one.", code="no_organisation")
        newest = max(
            records, key=lambda record: str(record.get("updatedDateUtc") or record.get("createdDateUtc") or "")
        )
        return Account(str(newest["tenantId"]), str(newest.get("tenantName") or ""))

    return account_of


def qonto_account(client: QontoClient) -> AccountOf:
    """The organization the consent is bound to.

    Its own record needs the scope `organization.read`, which Qonto calls sensitive and we do not ask for without need.
    Without it, any supplier invoice names the organization; an organization that has none yet stays unknown.
    """

    async def account_of(pair: TokenPair) -> Account:
        if "organization.read" in pair.scopes:
            organization = await client.organization(pair.access)
            return Account(organization.id, organization.name or organization.legal_name or "")
        first = await client.list_supplier_invoices(pair.access, per_page=1)
        if not first.invoices:
            return Account(UNKNOWN_ACCOUNT, "")
        named = orjson.loads(first.invoices[0].raw).get("organization_id")
        return Account(str(named or UNKNOWN_ACCOUNT), "")

    return account_of
