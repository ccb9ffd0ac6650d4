"""A person's consent at an MCP server: who we are there, browser, code, tokens. `mcp_provider.py` does the talking."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx2
from mcp.client.auth import OAuthClientProvider, OAuthFlowError, OAuthRegistrationError
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull
from pydantic import AnyUrl

from libs.contracts.errors import Rejected, Transient
from libs.contracts.loopback import LOOPBACK_HOSTS
from libs.runtime.clock import Clock
from libs.runtime.tls import authorities
from services.ingest.adapters.mcp_bearer import tokens_of
from services.ingest.adapters.mcp_clients import KeptClients
from services.ingest.adapters.mcp_grant import Grant, GrantKeeper
from services.ingest.adapters.mcp_provider import CarefulProvider, Consenting, PinnedScope
from services.ingest.domain.registration import RegisteredByHand

CONSENT_SECONDS: Final = 600.0
"""Seconds a person has in the browser. Providers' codes live five to ten minutes; an older tab is a forgotten one."""

PENDING_MAX: Final = 256
"""Consents under way at once. Each is a person in front of a browser; more is a mistake or an attack."""

_NOT_REGISTERED: Final = (
    "The Xero server registers no programs by itself, or refused to register Well. Have Well registered there by hand "
    "and set WELL_XERO_MCP_ISSUER and WELL_XERO_MCP_CLIENT_ID."
)

OpenBrowser = Callable[[str], Awaitable[None]]
"""Shows a person the address to consent at."""


@dataclass(frozen=True)
class Identity:
    """Who we are to authorization servers.

    Attributes:
        callback_url: Where a browser comes back to.
        scope: What we ask for; never more than it takes to read.
        document_url: Where our metadata document lies, when it can be read from outside.
        by_hand: How a person registered us at one issuer.
    """

    callback_url: str
    scope: str
    document_url: str | None = None
    by_hand: RegisteredByHand | None = None

    @property
    def metadata(self) -> PinnedScope:
        """What we say about ourselves, in a registration or in the document."""
        loopback = urlsplit(self.callback_url).hostname in LOOPBACK_HOSTS
        return PinnedScope(
            client_name="Well ingest",
            redirect_uris=[AnyUrl(self.callback_url)],
            grant_types=["authorization_code", "refresh_token"],
            token_endpoint_auth_method="none",  # noqa: S106 - the name of a method
            application_type="native" if loopback else "web",
            scope=self.scope,
        )

    def document(self) -> dict[str, Any]:
        """The document that `document_url` leads to."""
        return {"client_id": self.document_url, **self.metadata.model_dump(mode="json", exclude_none=True)}

    def client_by_hand(self) -> OAuthClientInformationFull | None:
        """The client that a person registered, bound to its issuer."""
        if self.by_hand is None:
            return None
        secret = self.by_hand.client_secret
        return OAuthClientInformationFull(
            client_id=self.by_hand.client_id,
            client_secret=secret,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            redirect_uris=[AnyUrl(self.callback_url)],
            issuer=self.by_hand.issuer,
        )


@dataclass(frozen=True)
class Consents:
    """Consents under way, by their state parameter, from the browser's leaving to its coming back."""

    server_url: str
    identity: Identity
    clock: Clock
    keeper_of: Callable[[UUID], GrantKeeper]
    clients: KeptClients
    _pending: dict[str, tuple[UUID, asyncio.Future[AuthorizationCodeResult]]] = field(default_factory=dict)

    async def connect(self, workspace: UUID, open_browser: OpenBrowser) -> None:
        """Have a person consent, and keep what the server grants.

        Raises:
            Rejected: `consent_refused` when the person or the server said no; `consent_expired` when nobody came back.
            Transient: The server could not be reached.
        """
        consenting = Consenting(self.identity.client_by_hand(), self.clients)
        left: dict[str, asyncio.Future[AuthorizationCodeResult]] = {}

        async def leave(url: str) -> None:
            left.update(self._expect(workspace, url))
            await open_browser(url)

        async def come_back() -> AuthorizationCodeResult:
            return await _returned(*left.values())

        identity = self.identity
        provider = CarefulProvider(
            self.server_url, identity.metadata, consenting, leave, come_back, identity.document_url
        )
        provider.kept = self.clients
        try:
            await _provoke(self.server_url, provider)
        except OAuthRegistrationError as error:
            raise Rejected(_NOT_REGISTERED, code="consent_refused") from error
        except OAuthFlowError as error:
            sentence = f"The Xero server did not grant access ({type(error).__name__})."
            raise Rejected(sentence, code="consent_refused") from error
        except httpx2.RequestError as error:
            raise Transient(f"The Xero server could not be reached ({type(error).__name__}).") from None
        finally:
            for state in left:
                self._pending.pop(state, None)
        await self.keeper_of(workspace).save(self._granted(provider, consenting))

    def come_back(self, state: str, *, code: str | None, iss: str | None, workspace: UUID | None = None) -> bool:
        """Hand a browser's return to whoever waits for it; False when nobody does, or no longer.

        Args:
            state: The word that left with the browser.
            code: What it came back with; None when the person said no.
            iss: Who it says it comes from (RFC 9207).
            workspace: Whose browser this is. A consent that another one left for is not its to give: somebody would
                have sent a person their own link, to read that person's Xero. None where only the person at this
                machine can come.
        """
        left_for, waiting = self._pending.get(state, (None, None))
        if waiting is None or waiting.done() or workspace not in {None, left_for}:
            return False
        if code is None:
            waiting.set_exception(Rejected("The person did not consent to reading Xero.", code="consent_refused"))
        else:
            waiting.set_result(AuthorizationCodeResult(code=code, state=state, iss=iss))
        return True

    def _expect(self, workspace: UUID, url: str) -> dict[str, asyncio.Future[AuthorizationCodeResult]]:
        state = parse_qs(urlsplit(url).query)["state"][0]
        if len(self._pending) >= PENDING_MAX:
            raise Rejected("Too many consents are under way; try again later.", code="too_many_consents")
        waiting: asyncio.Future[AuthorizationCodeResult] = asyncio.get_running_loop().create_future()
        self._pending[state] = (workspace, waiting)
        return {state: waiting}

    def _granted(self, provider: OAuthClientProvider, consenting: Consenting) -> Grant:
        metadata = provider.context.oauth_metadata
        if metadata is None or consenting.tokens is None or consenting.client is None:
            raise Rejected("The Xero server asks for no consent, which it must.", code="consent_refused")
        return Grant.model_validate(
            {
                "issuer": str(metadata.issuer),
                "token_endpoint": str(metadata.token_endpoint),
                "resource": provider.context.get_resource_url(),
                "registration": consenting.client.model_dump(mode="json", exclude_none=True),
                **tokens_of(consenting.tokens, self.clock),
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
        httpx2.AsyncClient(verify=authorities(), auth=provider, timeout=httpx2.Timeout(30.0)) as http,
        http.stream("POST", server_url, json=ask, headers=accept),
    ):
        return
