"""A person's consent at an MCP server: discovery, dynamic registration, browser, code, tokens.

The SDK's provider does the work; four of its habits (mcp 2.3) are mended here, each in a place of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx2
from mcp.client.auth import OAuthClientProvider, OAuthFlowError
from mcp.client.auth.utils import issuers_match
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from libs.contracts.errors import Rejected, Transient
from libs.runtime.clock import Clock
from services.ingest.adapters.mcp_bearer import tokens_of
from services.ingest.adapters.mcp_grant import Grant, GrantKeeper

CONSENT_SECONDS: Final = 600.0
"""Seconds a person has in the browser. Providers' codes live five to ten minutes; an older tab is a forgotten one."""

PENDING_MAX: Final = 256
"""Consents under way at once. Each is a person in front of a browser; more is a mistake or an attack."""

OpenBrowser = Callable[[str], Awaitable[None]]
"""Shows a person the address to consent at."""


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


class CarefulProvider(OAuthClientProvider):
    """The SDK's provider, which takes a root's two spellings for one and insists on PKCE."""

    def _select_authorization_server(self, advertised: list[str]) -> str:
        return RootIssuer(super()._select_authorization_server(advertised))

    async def _perform_authorization(self) -> httpx2.Request:
        # The SDK sends a challenge and never looks whether the server knows what to do with it; the specification has
        # the client refuse one that does not say so (MCP 2025-11-25, "Authorization Code Protection").
        metadata = self.context.oauth_metadata
        if metadata is None or "S256" not in (metadata.code_challenge_methods_supported or ()):
            raise OAuthFlowError("the authorization server does not offer PKCE with S256")
        return await super()._perform_authorization()


@dataclass
class _Registration:
    """The SDK's storage while one consent is under way: an earlier registration in, tokens and registration out."""

    client: OAuthClientInformationFull | None
    tokens: OAuthToken | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return None

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@dataclass(frozen=True)
class Consents:
    """Consents under way, by their state parameter, from the browser's leaving to its coming back."""

    server_url: str
    callback_url: str
    scope: str
    clock: Clock
    keeper_of: Callable[[UUID], GrantKeeper]
    _pending: dict[str, asyncio.Future[AuthorizationCodeResult]] = field(default_factory=dict)

    async def connect(self, workspace: UUID, open_browser: OpenBrowser) -> None:
        """Have a person consent, and keep what the server grants.

        Raises:
            Rejected: `consent_refused` when the person or the server said no; `consent_expired` when nobody came back.
            Transient: The server could not be reached.
        """
        keeper = self.keeper_of(workspace)
        registration = _Registration(self._registered(await keeper.load()))
        expected: dict[str, asyncio.Future[AuthorizationCodeResult]] = {}

        async def leave(url: str) -> None:
            expected.update(self._expect(url))
            await open_browser(url)

        async def come_back() -> AuthorizationCodeResult:
            return await _returned(*expected.values())

        metadata = PinnedScope(
            client_name="Well ingest",
            redirect_uris=[AnyUrl(self.callback_url)],
            grant_types=["authorization_code", "refresh_token"],
            scope=self.scope,
        )
        provider = CarefulProvider(self.server_url, metadata, registration, leave, come_back)
        try:
            await _provoke(self.server_url, provider)
        except OAuthFlowError as error:
            sentence = f"The Xero server did not grant access ({type(error).__name__})."
            raise Rejected(sentence, code="consent_refused") from error
        except httpx2.RequestError as error:
            raise Transient(f"The Xero server could not be reached ({type(error).__name__}).") from None
        finally:
            for state in expected:
                self._pending.pop(state, None)
        await keeper.save(self._granted(provider, registration))

    def come_back(self, state: str, *, code: str | None, iss: str | None) -> bool:
        """Hand a browser's return to whoever waits for it; False when nobody does, or no longer."""
        waiting = self._pending.get(state)
        if waiting is None or waiting.done():
            return False
        if code is None:
            waiting.set_exception(Rejected("The person did not consent to reading Xero.", code="consent_refused"))
        else:
            waiting.set_result(AuthorizationCodeResult(code=code, state=state, iss=iss))
        return True

    def _expect(self, url: str) -> dict[str, asyncio.Future[AuthorizationCodeResult]]:
        state = parse_qs(urlsplit(url).query)["state"][0]
        if len(self._pending) >= PENDING_MAX:
            raise Rejected("Too many consents are under way; try again later.", code="too_many_consents")
        self._pending[state] = asyncio.get_running_loop().create_future()
        return {state: self._pending[state]}

    def _registered(self, grant: Grant | None) -> OAuthClientInformationFull | None:
        """An earlier registration, when it allows our callback; the SDK drops it when the issuer is another one."""
        if grant is None:
            return None
        client = OAuthClientInformationFull.model_validate(grant.registration)
        return client if AnyUrl(self.callback_url) in (client.redirect_uris or ()) else None

    def _granted(self, provider: OAuthClientProvider, registration: _Registration) -> Grant:
        metadata = provider.context.oauth_metadata
        if metadata is None or registration.tokens is None or registration.client is None:
            raise Rejected("The Xero server asks for no consent, which it must.", code="consent_refused")
        return Grant.model_validate(
            {
                "issuer": str(metadata.issuer),
                "token_endpoint": str(metadata.token_endpoint),
                "resource": provider.context.get_resource_url(),
                "registration": registration.client.model_dump(mode="json", exclude_none=True),
                **tokens_of(registration.tokens, self.clock),
            }
        )


async def _returned(waiting: asyncio.Future[AuthorizationCodeResult]) -> AuthorizationCodeResult:
    try:
        async with asyncio.timeout(CONSENT_SECONDS):
            return await waiting
    except TimeoutError:
        raise Rejected("Nobody came back from the consent page in time.", code="consent_expired") from None


async def _provoke(server_url: str, provider: OAuthClientProvider) -> None:
    """Ask the server anything: its refusal starts the provider's flow. What it answers afterwards does not matter."""
    ask = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    accept = {"Accept": "application/json, text/event-stream"}
    async with (
        httpx2.AsyncClient(auth=provider, timeout=httpx2.Timeout(30.0)) as http,
        http.stream("POST", server_url, json=ask, headers=accept),
    ):
        return
