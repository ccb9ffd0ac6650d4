"""Whose accounts a consent opens, asked with its tokens."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Final, Protocol

import httpx
import orjson

from libs.contracts.errors import ConsentLost, Malformed, Rejected, Transient
from libs.contracts.identity import UNKNOWN_ACCOUNT
from libs.qonto.client import QontoClient
from libs.xero.client import XeroClient
from libs.xero.disconnecting import end_connection
from libs.xero.endpoints import Endpoints
from services.auth.domain.connection import Account, TokenPair

ORGANIZATION_SCOPE: Final = "organization.read"
"""What the organization's own record and the end of its consents need at Qonto."""

_JWT_PARTS: Final = 3
"""Head, claims and signature. Source: RFC 7519, section 3."""


class Accounts(Protocol):
    """What a provider tells of the accounts behind a token."""

    async def meant_by(self, pair: TokenPair) -> Sequence[Account]:
        """The accounts that the consent just given may mean."""
        ...

    async def open_to(self, access_token: str, account: Account) -> bool:
        """Whether the token opens the account; False only when the provider says so for certain."""
        ...

    async def ended(self, access_token: str, account: Account, scopes: Sequence[str]) -> bool:
        """End what can be ended for this account alone; whether nothing else hangs on the grant, which may then end.

        Raises:
            ConsentLost: The token is not honoured.
            Rejected: The provider refused.
            Transient: It gave no clear answer.
        """
        ...


class XeroAccounts:
    """The organisations of a Xero user.

    A user has one list of connections, whichever workspace each of them was made for; `authEventId` tells which were
    made or renewed by the consent that a token comes from, and stands in the token as `authentication_event_id`.
    Source: developer.xero.com, OAuth 2.0, "Check the tenants you're authorized to access".
    """

    def __init__(self, http: httpx.AsyncClient, endpoints: Endpoints) -> None:
        self._http = http
        self._endpoints = endpoints
        self._client = XeroClient(http, endpoints)

    async def meant_by(self, pair: TokenPair) -> Sequence[Account]:
        """The organisations of this consent; all of the user's when Xero ties none to it."""
        event = consent_event_of(pair.access)
        records = (await self._client.connections(pair.access, event=event)).records
        if event is not None and not records:
            records = (await self._client.connections(pair.access)).records
        return [Account(_text(record, "tenantId"), str(record.get("tenantName") or "")) for record in records]

    async def open_to(self, access_token: str, account: Account) -> bool:
        """Whether the organisation stands on the user's list; a list that cannot be read says nothing."""
        try:
            records = (await self._client.connections(access_token)).records
        except (ConsentLost, Transient, Rejected, Malformed):
            return True
        return any(record.get("tenantId") == account.id for record in records)

    async def ended(self, access_token: str, account: Account, scopes: Sequence[str]) -> bool:
        """Take the organisation off the user's list. The grant stays as long as another organisation is on it.

        To revoke the token would end them all, whichever workspace each belongs to.
        Source: developer.xero.com, OAuth 2.0, "Revoking tokens" and "Removing connections".
        """
        del scopes
        for record in (await self._client.connections(access_token)).records:
            if record.get("tenantId") == account.id:
                await end_connection(self._http, self._endpoints, access_token, _text(record, "id"))
        return not (await self._client.connections(access_token)).records


class QontoAccounts:
    """The one organization a Qonto consent is bound to.

    Its own record needs the scope `organization.read`, which Qonto calls sensitive and we do not ask for without need.
    Without it, any supplier invoice names the organization; an organization that has none yet stays unknown.
    """

    def __init__(self, client: QontoClient) -> None:
        self._client = client

    async def meant_by(self, pair: TokenPair) -> Sequence[Account]:
        """The organization, as far as the scopes let us ask."""
        if ORGANIZATION_SCOPE in pair.scopes:
            organization = await self._client.organization(pair.access)
            return [Account(organization.id, organization.name or organization.legal_name or "")]
        first = await self._client.list_supplier_invoices(pair.access, per_page=1)
        named = first.invoices[0].organization_id if first.invoices else None
        return [Account(named or UNKNOWN_ACCOUNT, "")]

    async def open_to(self, access_token: str, account: Account) -> bool:
        """Nothing at Qonto tells it for certain: what a dead consent is refused, an outage refuses too."""
        del access_token, account
        return True

    async def ended(self, access_token: str, account: Account, scopes: Sequence[str]) -> bool:
        """Take back the organization's consent where we may, which needs a scope; the grant ends in any case.

        Source: docs.qonto.com, "Revoke consents": scope `organization.read`.
        """
        del account
        if ORGANIZATION_SCOPE in scopes:
            await self._client.revoke_consent(access_token)
        return True


def consent_event_of(access_token: str) -> str | None:
    """The consent that a Xero access token comes from; None when it is no JWT that says so.

    The signature is not looked at: the token came from Xero over TLS, and Xero checks it with the next call.
    """
    parts = access_token.split(".")
    if len(parts) != _JWT_PARTS:
        return None
    try:
        claims: Any = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return None
    event = claims.get("authentication_event_id") if isinstance(claims, dict) else None
    return event if isinstance(event, str) and event else None


def _text(record: Any, key: str) -> str:  # noqa: ANN401 - JSON
    found = record.get(key)
    if not isinstance(found, str) or not found:
        raise Malformed(f"Xero's list of connections has one without {key}.", code="unexpected_shape")
    return found
