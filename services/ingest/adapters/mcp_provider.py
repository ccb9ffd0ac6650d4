"""The SDK's OAuth provider while a person consents, with its habits mended (mcp 2.3), each in a place of its own.

What it does without a person, `mcp_bearer.py` does in its stead.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import Any

import httpx2
from mcp.client.auth import OAuthClientProvider, OAuthFlowError, OAuthRegistrationError
from mcp.client.auth.utils import issuers_match
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from services.ingest.adapters.mcp_clients import KeptClients


class PinnedScope(OAuthClientMetadata):
    """Registration that asks for the scope it was made with.

    The SDK overwrites it with everything the server can give, in the registration and at the browser: asked to read
    invoices, it asked for settings too (python-sdk#2317).
    """

    def __setattr__(self, name: str, value: Any) -> None:  # noqa: ANN401 - pydantic's own signature
        """Set anything but the scope."""
        if name != "scope":
            super().__setattr__(name, value)


class RootIssuer(str):
    """An issuer that equals itself with and without the slash of its root.

    Two documents of one server may differ in it, as Xero's are reported to, and the SDK then refuses the server
    (python-sdk#1919). Only `scheme://host` and `scheme://host/` are made equal; a path still has to agree.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        """Whether both name the same issuer."""
        return isinstance(other, str) and issuers_match(str(self), str(other))

    def __ne__(self, other: object) -> bool:
        """Whether they name different issuers."""
        return not self == other

    def __hash__(self) -> int:
        """One hash for both spellings."""
        return hash(self.rstrip("/"))


class Consenting:
    """The SDK's storage while one consent is under way: a client registered by hand in, tokens and client out."""

    def __init__(self, registered_by_hand: OAuthClientInformationFull | None, kept: KeptClients) -> None:
        self.client = registered_by_hand
        self.tokens: OAuthToken | None = None
        self._kept = kept

    async def get_tokens(self) -> OAuthToken | None:
        """None: a consent starts anew."""
        return None

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Take in what was granted."""
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """The client registered by hand; the SDK drops it where the issuer is another one than its own."""
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Take in who we are at this server, and keep what it registered for the next consent."""
        self.client = client_info
        if client_info.issuer is not None and not client_info.client_id.startswith("https://"):
            await self._kept.keep(client_info.issuer, client_info)


class CarefulProvider(OAuthClientProvider):
    """The SDK's provider, which registers where that is offered and once, and insists on PKCE.

    Who we are, in this order (MCP 2026-07-28): a client registered by hand at this issuer, our metadata document where
    the issuer reads such, a registration it gave us before, a new one.

    Attributes:
        kept: Registrations that issuers gave us before.
    """

    kept: KeptClients

    def _select_authorization_server(self, advertised: list[str]) -> str:
        return RootIssuer(super()._select_authorization_server(advertised))

    async def _auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        # The SDK's flow, in which a registration is looked at before it leaves.
        flow = super()._auth_flow(request)
        try:
            sent = await anext(flow)
            while True:
                registers = sent is not request and sent.method == "POST" and self.context.client_info is None
                answer = await self._known(sent) if registers else None
                if answer is None:
                    answer = yield sent
                sent = await flow.asend(answer)
        except StopAsyncIteration:
            return
        finally:
            await flow.aclose()

    async def _known(self, sent: httpx2.Request) -> httpx2.Response | None:
        """What this issuer answered to a registration before, in place of another one."""
        metadata = self.context.oauth_metadata
        if metadata is None or metadata.registration_endpoint is None:
            # The SDK would post it to `<server>/register`, whoever listens there.
            raise OAuthRegistrationError("the authorization server registers no clients")
        known = await self.kept.known(str(self._expected_issuer()), self.context.client_metadata)
        if known is None:
            return None
        return httpx2.Response(HTTPStatus.CREATED, json=known.model_dump(mode="json", exclude_none=True), request=sent)

    async def _perform_authorization(self) -> httpx2.Request:
        # The SDK sends a challenge and never looks whether the server knows what to do with it; the specification has
        # the client refuse one that does not say so (MCP 2025-11-25, "Authorization Code Protection").
        metadata = self.context.oauth_metadata
        if metadata is None or "S256" not in (metadata.code_challenge_methods_supported or ()):
            raise OAuthFlowError("the authorization server does not offer PKCE with S256")
        return await super()._perform_authorization()
