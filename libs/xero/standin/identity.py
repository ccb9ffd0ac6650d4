"""Xero's identity service: the consent page, tokens, revocation, and the list of connections."""

from __future__ import annotations

import base64
import binascii
import hmac
import uuid
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from libs.xero.endpoints import READ_SCOPES
from libs.xero.standin import answers
from libs.xero.standin.consent_page import consent_page, refusal_page
from libs.xero.standin.grants import GrantRefused, Grants
from libs.xero.standin.holdings import Holdings
from libs.xero.standin.normal_form import at_millisecond
from libs.xero.standin.settings import Settings, SettingsStore

CLIENT_ID: Final = "well-demo"
CLIENT_SECRET: Final = "well-demo-secret"  # noqa: S105 - the stand-in's app, open to everybody
"""The one app the stand-in knows; its redirects may be any https address and any on http://localhost."""

SCOPES: Final = frozenset(READ_SCOPES)
"""What may be asked. Broad scopes are refused, as Xero does for apps made from 2 March 2026.

Intentional: scopes that write, and those of OpenID, are refused too. Well never asks for them.
"""

_BOOKKEEPERS: Final = uuid.UUID("9a2f0f0e-5a36-5d7e-9d2b-0d5f3f3a1c55")
"""The namespace in which names of users become ids."""


class Identity:
    """The endpoints a person and an app meet before the API."""

    def __init__(self, grants: Grants, holdings: Holdings, settings: SettingsStore) -> None:
        self._grants = grants
        self._holdings = holdings
        self._settings = settings

    def routes(self) -> list[web.RouteDef]:
        """The paths, as Xero has them."""
        return [
            web.get("/identity/connect/authorize", self._ask, allow_head=False),
            web.post("/identity/connect/authorize", self._answer),
            web.post("/connect/token", self._token),
            web.post("/connect/revocation", self._revoke),
            web.get("/connections", self._connections, allow_head=False),
            web.delete("/connections/{ConnectionID}", self._disconnect),
        ]

    async def _ask(self, request: web.Request) -> web.Response:
        query = request.query
        problem = authorize_problem(query)
        if problem is not None:
            return refusal_page(problem)
        settings = self._settings.get(Settings)
        if settings.consent == "page":
            return consent_page(query, self._holdings.organisations())
        tenant_id = settings.tenant_id or self._next_organisation()
        if tenant_id is None or self._holdings.organisation(tenant_id) is None:
            return refusal_page("There is no organisation to connect. POST one to /_standin/organisations first.")
        return self._approve(query, tenant_id)

    async def _answer(self, request: web.Request) -> web.Response:
        form = await _form(request)
        problem = authorize_problem(form)
        if problem is not None:
            return refusal_page(problem)
        if form.get("decision") == "deny":
            return _redirect(form, {"error": "access_denied"})
        if self._holdings.organisation(form.get("tenant_id", "")) is None:
            return refusal_page("Choose one of the organisations.")
        return self._approve(form, form["tenant_id"])

    def _approve(self, asked: Mapping[str, str], tenant_id: str) -> web.Response:
        settings = self._settings.get(Settings)
        tenant_ids = [tenant_id, *(each for each in settings.besides if self._holdings.organisation(each) is not None)]
        code = self._grants.consent(
            user_of(tenant_id, settings),
            tenant_ids,
            asked["scope"],
            asked["redirect_uri"],
            asked.get("code_challenge") or None,
        )
        return _redirect(asked, {"code": code, "scope": asked["scope"]})

    def _next_organisation(self) -> str | None:
        tenants = [tenant_id for tenant_id, _ in self._holdings.organisations()]
        free = [tenant_id for tenant_id in tenants if not self._grants.is_connected(tenant_id)]
        return next(iter(free or tenants), None)

    async def _token(self, request: web.Request) -> web.Response:
        form = await _form(request)
        if not _is_our_client(request.headers.get("Authorization", ""), form):
            return _oauth_error("invalid_client")
        try:
            if form.get("grant_type") == "authorization_code":
                tokens = self._grants.exchange(
                    form.get("code", ""), form.get("redirect_uri", ""), form.get("code_verifier")
                )
            elif form.get("grant_type") == "refresh_token":
                tokens = self._grants.refresh(form.get("refresh_token", ""))
            else:
                return _oauth_error("unsupported_grant_type")
        except GrantRefused as refused:
            return _oauth_error(str(refused))
        return answers.as_json(tokens)

    async def _revoke(self, request: web.Request) -> web.Response:
        form = await _form(request)
        if not _is_our_client(request.headers.get("Authorization", ""), form):
            return _oauth_error("invalid_client")
        self._grants.revoke(form.get("token", ""))
        return web.Response()

    async def _connections(self, request: web.Request) -> web.Response:
        access = self._grants.access(bearer(request))
        if access is None:
            return answers.unauthorized()
        asked = request.query.get("authEventId")
        return answers.as_json(
            [
                {
                    "id": row["connection_id"],
                    "authEventId": row["consent_id"],
                    "tenantId": row["tenant_id"],
                    "tenantType": "ORGANISATION",
                    "tenantName": row["name"],
                    "createdDateUtc": at_millisecond(row["created_ms"]).strftime("%Y-%m-%dT%H:%M:%S.%f0"),
                    "updatedDateUtc": at_millisecond(row["updated_ms"]).strftime("%Y-%m-%dT%H:%M:%S.%f0"),
                }
                for row in self._grants.connections(access.user_id)
                if asked in {None, row["consent_id"]}
            ]
        )

    async def _disconnect(self, request: web.Request) -> web.Response:
        access = self._grants.access(bearer(request))
        if access is None:
            return answers.unauthorized()
        ended = self._grants.disconnect(access.user_id, request.match_info["ConnectionID"])
        return web.Response(status=204 if ended else 404)


def authorize_problem(asked: Mapping[str, str]) -> str | None:
    """Why this request for consent is shown an error page instead of being sent back; None when it is in order."""
    if asked.get("client_id") != CLIENT_ID:
        return "unauthorized_client: unknown client_id"
    if not is_redirect_allowed(asked.get("redirect_uri", "")):
        return "unauthorized_client: invalid redirect_uri (https, or http://localhost)"
    if asked.get("response_type") != "code":
        return "unsupported_response_type"
    scopes = asked.get("scope", "").split()
    if not scopes or not SCOPES.issuperset(scopes):
        return "invalid_scope"
    if asked.get("code_challenge") and asked.get("code_challenge_method") != "S256":
        return "invalid_request: code_challenge_method must be S256"
    return None


def user_of(tenant_id: str, settings: Settings) -> str:
    """The id of the user who consents for an organisation: the one in the settings, or its own bookkeeper."""
    return str(uuid.uuid5(_BOOKKEEPERS, settings.user or tenant_id))


def is_redirect_allowed(uri: str) -> bool:
    """Xero takes https and http://localhost. `http://127.0.0.1` is refused."""
    parts = urlsplit(uri)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme, parts.hostname) == ("http", "localhost"))


def bearer(request: web.Request) -> str:
    """The token in the Authorization header, or nothing."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def _form(request: web.Request) -> dict[str, str]:
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def _is_our_client(authorization: str, form: Mapping[str, str]) -> bool:
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
    return client_id == CLIENT_ID and hmac.compare_digest(secret.encode(), CLIENT_SECRET.encode())


def _redirect(asked: Mapping[str, str], answer: dict[str, str]) -> web.Response:
    state = {"state": asked["state"]} if "state" in asked else {}
    joint = "&" if urlsplit(asked["redirect_uri"]).query else "?"
    location = asked["redirect_uri"] + joint + urlencode({**answer, **state})
    return web.Response(status=302, headers={"Location": location})


def _oauth_error(code: str) -> web.Response:
    return answers.as_json({"error": code}, status=400)
