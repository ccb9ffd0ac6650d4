"""The two providers, as auth meets them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import httpx

from libs.qonto.client import STAGING_HEADER, QontoClient
from libs.qonto.endpoints import BANK_SCOPES
from libs.qonto.endpoints import SCOPES as QONTO_SCOPES
from libs.qonto.endpoints import Endpoints as QontoEndpoints
from libs.runtime.clock import Clock
from libs.xero.endpoints import READ_SCOPES as XERO_SCOPES
from libs.xero.endpoints import Endpoints as XeroEndpoints
from services.auth.adapters.accounts import QontoAccounts, XeroAccounts
from services.auth.adapters.authorization_server import AuthorizationServer, RegisteredApp, ServerAddresses
from services.auth.ports import ProviderProfile

XERO_GRACE_SECONDS: Final = 1800.0
"""Seconds. Source: developer.xero.com, token types: "you can retry with the previous refresh token for 30 minutes"."""

QONTO_GRACE_SECONDS: Final = 60.0
"""Seconds after first use. Source: docs.qonto.com, OAuth, refresh tokens."""


def xero_server(
    endpoints: XeroEndpoints, app: RegisteredApp, http: httpx.AsyncClient, clock: Clock
) -> AuthorizationServer:
    """Xero's authorization server."""
    return AuthorizationServer(
        profile=ProviderProfile("xero", XERO_SCOPES, XERO_GRACE_SECONDS),
        app=app,
        addresses=ServerAddresses(endpoints.authorize_url, endpoints.token_url, endpoints.revocation_url),
        client_authentication="client_secret_basic",
        accounts=XeroAccounts(http, endpoints),
        clock=clock,
    )


def qonto_server(
    endpoints: QontoEndpoints,
    app: RegisteredApp,
    http: httpx.AsyncClient,
    clock: Clock,
    *,
    staging_token: str | None = None,
) -> AuthorizationServer:
    """Qonto's authorization server. The sandbox wants its token with the token calls too."""
    if staging_token is not None:
        app = replace(app, headers={STAGING_HEADER: staging_token})
    return AuthorizationServer(
        profile=ProviderProfile("qonto", QONTO_SCOPES, QONTO_GRACE_SECONDS, BANK_SCOPES),
        app=app,
        addresses=ServerAddresses(endpoints.authorize_url, endpoints.token_url, endpoints.revocation_url),
        client_authentication="client_secret_post",
        accounts=QontoAccounts(QontoClient(http, endpoints.api_url, staging_token)),
        clock=clock,
    )
