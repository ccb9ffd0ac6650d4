"""Where Qonto is, and what Well asks a person to allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Endpoints:
    """The addresses of one Qonto: production, the sandbox, or a stand-in.

    Attributes:
        authorize_url: Where a person consents, in a browser.
        token_url: Where a code or a refresh token becomes an access token; credentials go in the form's body.
        revocation_url: Where a refresh token is given back.
        api_url: The Business API, without `/v2` and without a slash at its end.
    """

    authorize_url: str
    token_url: str
    revocation_url: str
    api_url: str


PRODUCTION: Final = Endpoints(
    authorize_url="https://oauth.qonto.com/oauth2/auth",
    token_url="https://oauth.qonto.com/oauth2/token",  # noqa: S106 - an address, no password
    revocation_url="https://oauth.qonto.com/oauth2/revoke",
    api_url="https://thirdparty.qonto.com",
)
"""Source: docs.qonto.com/api-reference/business-api/introduction/base-urls; revocation as qontoctl found it."""

SANDBOX: Final = Endpoints(
    authorize_url="https://oauth-sandbox.staging.qonto.co/oauth2/auth",
    token_url="https://oauth-sandbox.staging.qonto.co/oauth2/token",  # noqa: S106 - an address, no password
    revocation_url="https://oauth-sandbox.staging.qonto.co/oauth2/revoke",
    api_url="https://thirdparty-sandbox.staging.qonto.co",
)
"""Every call here needs the header `X-Qonto-Staging-Token`, the token call too. Source: the same page."""

SCOPES: Final = ("offline_access", "supplier_invoice.write", "supplier_invoice.read", "attachment.read")
"""What posting and reading back need. Source: docs.qonto.com/api-reference/business-api/authentication, "Scopes"."""

BANK_SCOPES: Final = ("organization.read",)
"""What transactions and the organization's own record need besides. Qonto flags it sensitive, so it stays optional."""


def endpoints_at(url: str) -> Endpoints:
    """The endpoints of a stand-in, which keeps all of them at one address such as `http://127.0.0.1:4711`."""
    root = url.rstrip("/")
    return Endpoints(
        authorize_url=f"{root}/oauth2/auth",
        token_url=f"{root}/oauth2/token",
        revocation_url=f"{root}/oauth2/revoke",
        api_url=root,
    )
