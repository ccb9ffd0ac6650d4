"""Where Xero is, and what may be asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Endpoints:
    """The addresses of one Xero: the real one, or a stand-in.

    Attributes:
        authorize_url: Where a person consents, in a browser.
        token_url: Where a code or a refresh token becomes an access token.
        revocation_url: Where a refresh token is given back; it ends every connection of its user.
        connections_url: Which organisations a token may read.
        api_url: The Accounting API, without a slash at its end.
    """

    authorize_url: str
    token_url: str
    revocation_url: str
    connections_url: str
    api_url: str


XERO: Final = Endpoints(
    authorize_url="https://login.xero.com/identity/connect/authorize",
    token_url="https://identity.xero.com/connect/token",  # noqa: S106 - an address, no password
    revocation_url="https://identity.xero.com/connect/revocation",
    connections_url="https://api.xero.com/connections",
    api_url="https://api.xero.com/api.xro/2.0",
)
"""Source: developer.xero.com/documentation/guides/oauth2/auth-flow, and Xero-OpenAPI 16.1.0 `servers`."""

READ_SCOPES: Final = (
    "offline_access",
    "accounting.invoices.read",
    "accounting.payments.read",
    "accounting.banktransactions.read",
    "accounting.contacts.read",
    "accounting.settings.read",
    "accounting.attachments.read",
)
"""All that Well ever asks for; none of them can write. Apps created from 2 March 2026 get these granular scopes only.

Source: developer.xero.com/documentation/guides/oauth2/scopes.
"""


def endpoints_at(url: str) -> Endpoints:
    """The endpoints of a stand-in, which keeps all of them at one address such as `http://127.0.0.1:4711`."""
    root = url.rstrip("/")
    return Endpoints(
        authorize_url=f"{root}/identity/connect/authorize",
        token_url=f"{root}/connect/token",
        revocation_url=f"{root}/connect/revocation",
        connections_url=f"{root}/connections",
        api_url=f"{root}/api.xro/2.0",
    )
