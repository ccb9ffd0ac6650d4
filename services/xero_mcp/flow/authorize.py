"""The authorization server of MCP clients, as the SDK wants it: it speaks HTTP and checks PKCE, this decides.

```
client    /register ----> a client id (RFC 7591)
browser   /authorize ---> a request is kept --> auth's consent page --> /consented --> the client, with a code and `iss`
client    /token -------> an access token of 5 minutes and a rotating refresh token (RFC 6749, PKCE S256, RFC 8707)
client    /revoke ------> the family ends (RFC 7009)
```

A code is bound to its client, redirect address, PKCE challenge and resource; a token to its client, resource and
workspace. Xero's own tokens never pass through here.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final
from urllib.parse import urlencode, urlsplit

from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    AuthorizeError,
    OAuthAuthorizationServerProvider,
    RefreshToken,
    RegistrationError,
    TokenError,
    construct_redirect_uri,
)
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken

from libs.contracts.errors import Rejected
from libs.crypto.bearer import INSTALLATION
from libs.database.port import Database
from libs.runtime.clock import Clock
from services.xero_mcp.domain.registration import (
    CLIENTS_MAX,
    METADATA_MAX_BYTES,
    UNUSED_KEPT,
    problem_of_name,
    problem_of_redirects,
)
from services.xero_mcp.domain.token import LASTS, SCOPE
from services.xero_mcp.flow.tokens import Held, Issued, McpTokens
from services.xero_mcp.ports import Consents, XeroMcpStore

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
"""What S256 gives. Source: RFC 7636, section 4.2."""


class McpAuthorization(OAuthAuthorizationServerProvider[AuthorizationCode, RefreshToken, AccessToken]):
    """The provider behind the SDK's OAuth endpoints."""

    def __init__(
        self,
        *,
        issuer: str,
        resource: str,
        database: Database,
        store: XeroMcpStore,
        tokens: McpTokens,
        consents: Consents,
        clock: Clock,
    ) -> None:
        self._issuer = issuer
        self._resource = resource
        self._database = database
        self._store = store
        self._tokens = tokens
        self._consents = consents
        self._clock = clock

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        """A registered client."""
        async with self._database.transaction(INSTALLATION) as tx:
            metadata = await self._store.client(tx, client_id)
        return None if metadata is None else OAuthClientInformationFull.model_validate_json(metadata)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        """Keep a registration.

        Raises:
            RegistrationError: It asks for what is not given, is too large, or there is no room.
        """
        redirects = [str(uri) for uri in client_info.redirect_uris or []]
        problem = problem_of_redirects(redirects)
        if problem is not None:
            raise RegistrationError("invalid_redirect_uri", problem)
        metadata = client_info.model_dump_json(exclude_none=True).encode()
        problem = problem_of_name(client_info.client_name)
        if len(metadata) > METADATA_MAX_BYTES:
            problem = f"a registration has at most {METADATA_MAX_BYTES} bytes"
        if problem is not None:
            raise RegistrationError("invalid_client_metadata", problem)
        now = self._clock.now()
        async with self._database.transaction(INSTALLATION) as tx:
            added = await self._store.add_client(
                tx, client_info.client_id, metadata, now=now, limit=CLIENTS_MAX, unused_before=now - UNUSED_KEPT
            )
        if not added:
            raise RegistrationError("invalid_client_metadata", "no more clients can register now; try again in an hour")

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        """Keep the request and send the browser to the page where a person answers.

        Raises:
            AuthorizeError: The request cannot be granted as it is.
        """
        if params.resource is not None and params.resource.rstrip("/") != self._resource:
            raise AuthorizeError("invalid_target", "this server gives tokens for itself only")
        if not _CHALLENGE.fullmatch(params.code_challenge):
            raise AuthorizeError("invalid_request", "code_challenge is not one of S256")
        scopes = params.scopes or [SCOPE]
        content: dict[str, object] = {
            "scopes": scopes,
            "resource": self._resource,
            "code_challenge": params.code_challenge,
            "redirect_uri": str(params.redirect_uri),
            "redirect_uri_provided_explicitly": params.redirect_uri_provided_explicitly,
            "state": params.state,
        }
        try:
            request = await self._tokens.add_request(client.client_id, content)
            return await self._consents.ask_consent(
                client_name=client.client_name or "a program without a name",
                redirect_host=urlsplit(str(params.redirect_uri)).netloc,
                scopes=tuple(scopes),
                return_to=self._return_to(request),
            )
        except Rejected as refusal:
            raise AuthorizeError("temporarily_unavailable", refusal.sentence) from None

    async def consented(self, request: str, *, grant: str | None) -> str:
        """The browser is back with a person's answer. Where to send it: to the client, with a code or a refusal.

        Raises:
            Rejected: The request is not open, or the grant is not for it.
        """
        held = await self._tokens.take_request(request)
        if held is None:
            sentence = "This request of a program was answered already, or is too old. Start again from the program."
            raise Rejected(sentence, code="request")
        redirect, state = str(held.content["redirect_uri"]), held.content["state"]
        answer = {"state": state if isinstance(state, str) else None, "iss": self._issuer}
        if grant is None:
            return construct_redirect_uri(redirect, error="access_denied", **answer)
        workspace = await self._consents.redeem_consent(grant, return_to=self._return_to(request))
        code = await self._tokens.add_code(workspace, held.client, held.content)
        return construct_redirect_uri(redirect, code=code, **answer)

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> AuthorizationCode | None:
        """A code of this client."""
        held = _of(client, await self._tokens.see("code", authorization_code))
        if held is None:
            return None
        fields = {name: value for name, value in held.content.items() if name != "state"}
        return AuthorizationCode.model_validate(
            {
                **fields,
                "code": authorization_code,
                "client_id": held.client,
                "expires_at": held.expires_at.timestamp(),
                "subject": str(held.workspace),
            }
        )

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        """The first pair of tokens.

        Raises:
            TokenError: The code was used meanwhile.
        """
        del client
        return _paid(await self._tokens.buy("code", authorization_code.code), authorization_code.scopes)

    async def load_refresh_token(self, client: OAuthClientInformationFull, refresh_token: str) -> RefreshToken | None:
        """A refresh token of this client."""
        held = _of(client, await self._tokens.see("refresh", refresh_token))
        if held is None:
            return None
        return RefreshToken.model_validate(
            {
                **held.content,
                "token": refresh_token,
                "client_id": held.client,
                "expires_at": _seconds(held.expires_at),
                "subject": str(held.workspace),
            }
        )

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        """The next pair of tokens.

        Raises:
            TokenError: The refresh token came back too late.
        """
        del client
        return _paid(await self._tokens.buy("refresh", refresh_token.token, scopes=scopes), scopes)

    async def load_access_token(self, token: str) -> AccessToken | None:
        """An access token that is good."""
        held = await self._tokens.verified(token)
        if held is None:
            return None
        return AccessToken.model_validate(
            {
                **held.content,
                "token": token,
                "client_id": held.client,
                "expires_at": _seconds(held.expires_at),
                "subject": str(held.workspace),
            }
        )

    async def revoke_token(self, token: AccessToken | RefreshToken) -> None:
        """End the token's whole family."""
        for kind in ("access", "refresh"):
            held = await self._tokens.see(kind, token.token)
            if held is not None:
                await self._tokens.end(held)

    def _return_to(self, request: str) -> str:
        return f"{self._issuer}/consented?{urlencode({'request': request})}"


def _of(client: OAuthClientInformationFull, held: Held | None) -> Held | None:
    return held if held is not None and held.client == client.client_id else None


def _paid(issued: Issued | None, scopes: list[str]) -> OAuthToken:
    if issued is None:
        raise TokenError("invalid_grant", "it was used already")
    return OAuthToken(
        access_token=issued.access,
        refresh_token=issued.refresh,
        expires_in=int(LASTS["access"].total_seconds()),
        scope=" ".join(scopes),
    )


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())
