"""A person's consent at an MCP server: who we are there, browser, code, tokens. `mcp_provider.py` does the talking."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx2
import structlog
from mcp.client.auth import OAuthClientProvider, OAuthFlowError, OAuthRegistrationError
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull
from pydantic import AnyUrl

from libs.contracts.errors import Malformed, Rejected, Transient, WellError
from libs.contracts.loopback import LOOPBACK_HOSTS
from libs.runtime.clock import Clock
from services.ingest.adapters.mcp_bearer import ASK_SECONDS, tokens_of
from services.ingest.adapters.mcp_clients import KeptClients
from services.ingest.adapters.mcp_grant import Grant, GrantKeeper
from services.ingest.adapters.mcp_http import WORDS_MAX_BYTES, bounded_client
from services.ingest.adapters.mcp_provider import CarefulProvider, Consenting, PinnedScope
from services.ingest.adapters.mcp_returns import Brought, Returns
from services.ingest.adapters.mcp_revocation import give_back
from services.ingest.domain.registration import RegisteredByHand

CONNECTED: Final = "Xero is connected to Well. You can close this window."
"""How a consent ends that went well, for its browser."""

_NOT_REGISTERED: Final = (
    "The Xero server registers no programs by itself, or refused to register Well. Have Well registered there by hand "
    "and set WELL_XERO_MCP_ISSUER and WELL_XERO_MCP_CLIENT_ID."
)

OpenBrowser = Callable[[str], Coroutine[Any, Any, None]]
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
    """Consents under way, from the browser's leaving to its coming back, to this process or another."""

    server_url: str
    identity: Identity
    clock: Clock
    keeper_of: Callable[[UUID], GrantKeeper]
    clients: KeptClients
    returns: Returns

    async def connect(self, workspace: UUID, open_browser: OpenBrowser) -> None:
        """Have a person consent, and keep what the server grants.

        Args:
            workspace: Whose Xero it will be.
            open_browser: Shows a person the address; it may follow the browser to its end, which comes when this does.

        Raises:
            Rejected: `consent_refused` when the person or the server said no; `no_code` when the server had trouble;
                `consent_expired` when nobody came back; `too_many_consents`.
            Transient: The server could not be reached.
        """
        left: list[_Left] = []
        ending = "Well could not connect Xero. Start again."
        try:
            await self._consented(workspace, open_browser, left)
            ending = CONNECTED
        except WellError as error:
            ending = error.sentence
            raise
        finally:
            for each in left:
                await self.returns.end(workspace, each.state, ending)
                if ending != CONNECTED:
                    each.showing.cancel()
            await asyncio.gather(*(each.showing for each in left), return_exceptions=True)

    async def come_back(self, workspace: UUID, state: str, *, code: str | None, iss: str | None) -> str | None:
        """Hand a browser's return to whoever waits for it, and wait for the end; None when nobody waits, or no longer.

        Args:
            workspace: Whose browser this is. A consent that another one left for is not its to give: somebody would
                have sent a person their own link, to read that person's Xero.
            state: The word that left with the browser.
            code: What it came back with; None when the person said no, and empty when the server had trouble.
            iss: Who it says it comes from (RFC 9207).
        """
        if not await self.returns.come_back(workspace, state, Brought(code=code, iss=iss)):
            return None
        return await self.returns.ending(workspace, state)

    async def _consented(self, workspace: UUID, open_browser: OpenBrowser, left: list[_Left]) -> None:
        consenting = Consenting(self.identity.client_by_hand(), self.clients)

        async def leave(url: str) -> None:
            state = parse_qs(urlsplit(url).query)["state"][0]
            await self.returns.expect(workspace, state)
            left.append(_Left(state, asyncio.ensure_future(open_browser(url))))

        async def come_back() -> AuthorizationCodeResult:
            brought = await self.returns.brought(workspace, left[-1].state, left[-1].showing)
            if brought.code is None:
                raise Rejected("Xero was not connected: the access was refused there.", code="consent_refused")
            if not brought.code:  # RFC 6749, section 4.1.2.1: server_error, for example
                raise Rejected("Xero was not connected: its server sent no code back. Start again.", code="no_code")
            return AuthorizationCodeResult(code=brought.code, state=left[-1].state, iss=brought.iss)

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
        await self._keep(self.keeper_of(workspace), self._granted(provider, consenting), provider)

    async def _keep(self, keeper: GrantKeeper, granted: Grant, provider: OAuthClientProvider) -> None:
        """Keep the new grant, and then give back the one that it replaces, if there is one that can be read."""
        replaced: Grant | None = None
        with suppress(Malformed):
            replaced = await keeper.load()
        await keeper.save(granted)
        metadata = provider.context.oauth_metadata
        if replaced is None or metadata is None or metadata.revocation_endpoint is None:
            return
        if replaced.issuer != granted.issuer:
            return  # what one issuer gave is never shown to another
        try:
            await give_back(replaced, str(metadata.revocation_endpoint))
        except Transient as error:
            structlog.get_logger().warning("ingest.replaced_grant_stays", why=error.sentence)

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


@dataclass(frozen=True)
class _Left:
    """A browser that has left, and what shows a person where to."""

    state: str = field(repr=False)
    showing: asyncio.Future[None]


async def _provoke(server_url: str, provider: OAuthClientProvider) -> None:
    """Ask the server anything: its refusal starts the provider's flow. What it answers afterwards does not matter."""
    ask = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    accept = {"Accept": "application/json, text/event-stream"}
    async with (
        bounded_client(httpx2.Timeout(ASK_SECONDS), WORDS_MAX_BYTES, provider) as http,
        http.stream("POST", server_url, json=ask, headers=accept),
    ):
        return
