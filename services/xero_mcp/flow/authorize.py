"""The authorization server of MCP clients: what it grants, to whom and for what. `api/` speaks HTTP for it.

```
client    /register ----> a client id (RFC 7591); or the id is the address of the client's own document
browser   /authorize ---> a request is kept --> auth's consent page --> /consented --> the client, with a code and `iss`
client    /token -------> an access token of 5 minutes and a rotating refresh token (RFC 6749, PKCE S256, RFC 8707)
client    /revoke ------> everything that came from one consent ends (RFC 7009)
```

A code is bound to its client, redirect address, PKCE challenge and resource; a token to its client, resource and
workspace. Xero's own tokens never pass through here. What is refused is a `Rejected` whose code is the RFC's word.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlencode, urlsplit

from libs.contracts.errors import Rejected
from services.xero_mcp.domain.redirect import is_registered, led_back
from services.xero_mcp.domain.registration import Client
from services.xero_mcp.domain.token import SCOPE
from services.xero_mcp.flow.standing import Standing
from services.xero_mcp.flow.tokens import Issued, McpTokens
from services.xero_mcp.ports import Consents

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
"""What S256 gives. Source: RFC 7636, section 4.2."""

_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
"""Source: RFC 7636, section 4.1."""


@dataclass(frozen=True)
class Asked:
    """What a client asks of a person through their browser, once its address is known to be its own.

    Attributes:
        client: Who asks.
        redirect_uri: Where the answer goes.
        redirect_given: Whether the client named it, and so has to name it again.
        state: The client's own word, which goes back with the answer.
    """

    client: Client
    redirect_uri: str
    redirect_given: bool
    state: str | None


class McpAuthorization:
    """What the endpoints decide."""

    def __init__(
        self, *, issuer: str, resource: str, tokens: McpTokens, consents: Consents, standing: Standing
    ) -> None:
        self._issuer = issuer
        self._resource = resource
        self._tokens = tokens
        self._consents = consents
        self._standing = standing

    async def ask(
        self,
        asked: Asked,
        *,
        response_type: str,
        challenge: str | None,
        method: str | None,
        scope: str | None,
        resources: Sequence[str],
    ) -> str:
        """Keep the request. The page where a person answers.

        Raises:
            Rejected: The request cannot be granted as it is.
            Transient: No person can be asked just now.
        """
        if response_type != "code":
            raise Rejected("response_type can only be code", code="unsupported_response_type")
        self._check_resources(resources)
        # A request that names no method means `plain` (RFC 7636, section 4.3), which proves nothing to a listener.
        if challenge is None or method != "S256" or not _CHALLENGE.fullmatch(challenge):
            raise Rejected(
                "code_challenge must be one of S256, and code_challenge_method say so", code="invalid_request"
            )
        scopes = _scopes(scope, of=(SCOPE,))
        content = {
            "scopes": scopes,
            "resource": self._resource,
            "code_challenge": challenge,
            "redirect_uri": asked.redirect_uri,
            "redirect_uri_provided_explicitly": asked.redirect_given,
            "state": asked.state,
            "refreshes": asked.client.refreshes,
        }
        try:
            request = await self._tokens.add_request(asked.client.id, content)
            return await self._consents.ask_consent(
                client_name=asked.client.name or "a program without a name",
                redirect_host=urlsplit(asked.redirect_uri).netloc,
                document_host=asked.client.document_host,
                scopes=scopes,
                return_to=self._return_to(request),
            )
        except Rejected as refusal:
            raise Rejected(refusal.sentence, code="temporarily_unavailable") from None

    async def consented(self, request: str, *, grant: str | None) -> str:
        """The browser is back with a person's answer. Where to send it: to the client, with a code or a refusal.

        Raises:
            Rejected: The request is not open, or the grant is not for it.
        """
        held = await self._tokens.take_request(request)
        if held is None:
            sentence = "This request of a program was answered already, or is too old. Start again from the program."
            raise Rejected(sentence, code="request")
        redirect, state = held.content["redirect_uri"], held.content["state"]
        if grant is None:
            return self.answer(redirect, state, error="access_denied")
        consented = await self._consents.redeem_consent(grant, return_to=self._return_to(request))
        code = await self._tokens.add_code(consented, held.client, held.content)
        return self.answer(redirect, state, code=code)

    def answer(self, redirect_uri: str, state: str | None, **words: str) -> str:
        """A client's own address with an answer, and with who gives it (RFC 9207)."""
        return led_back(redirect_uri, {**words, "state": state, "iss": self._issuer})

    async def redeem(
        self, client: Client, code: str, *, redirect_uri: str | None, verifier: str, resources: Sequence[str]
    ) -> Issued:
        """The first pair of tokens.

        Raises:
            Rejected: `invalid_grant`, or `invalid_target` when it shall be for somebody else than us.
            Transient: Auth does not answer. Nothing was spent.
        """
        self._check_resources(resources)

        def bought(kept: dict[str, Any]) -> tuple[str, ...]:
            named = kept["redirect_uri"] if kept["redirect_uri_provided_explicitly"] else redirect_uri
            if redirect_uri != named:
                raise Rejected("redirect_uri is not the one the code was asked for with", code="invalid_grant")
            if not _proves(verifier, kept["code_challenge"]):
                raise Rejected("code_verifier does not belong to the code", code="invalid_grant")
            return tuple(kept["scopes"])

        return await self._bought("code", code, client, bought)

    async def refresh(self, client: Client, token: str, *, scope: str | None, resources: Sequence[str]) -> Issued:
        """The next pair of tokens.

        Raises:
            Rejected: `invalid_grant`, `invalid_scope` or `invalid_target`.
            Transient: Auth does not answer. Nothing was spent.
        """
        self._check_resources(resources)
        return await self._bought("refresh", token, client, lambda kept: _scopes(scope, of=tuple(kept["scopes"])))

    async def revoke(self, client: Client, token: str) -> None:
        """End everything that came from the consent behind a token of this client. Any other token changes nothing.

        Raises:
            Transient: Auth or the database does not answer. It may stand; doing it again ends it.
        """
        consented = await self._tokens.consent_of(token, "access", "refresh", client=client.id)
        if consented is not None:
            await self._standing.end(consented)

    async def _bought(
        self,
        kind: Literal["code", "refresh"],
        text: str,
        client: Client,
        scopes_of: Callable[[dict[str, Any]], tuple[str, ...]],
    ) -> Issued:
        """What is bought, unless the person has taken the consent back; that is asked before anything is spent."""
        consented = await self._tokens.consent_of(text, kind, client=client.id)
        if consented is not None and await self._standing.of(consented):
            issued = await self._tokens.buy(kind, text, client=client.id, scopes_of=scopes_of)
            if issued is not None:
                return issued
            await self._standing.end(consented)  # it came back stolen: nobody reads by this consent any more
        raise Rejected("it is unknown, too old, was used already, or has been ended", code="invalid_grant")

    def _check_resources(self, resources: Sequence[str]) -> None:
        if any(resource.rstrip("/") != self._resource for resource in resources):
            raise Rejected("this server gives tokens for itself only", code="invalid_target")

    def _return_to(self, request: str) -> str:
        return f"{self._issuer}/consented?{urlencode({'request': request})}"


def redirect_of(client: Client, named: str | None) -> str | None:
    """Where a client's answer goes: the address it names, or the only one it has; None when that is not its own."""
    if named is not None:
        return named if is_registered(named, client.redirect_uris) else None
    return client.redirect_uris[0] if len(client.redirect_uris) == 1 else None


def _scopes(scope: str | None, *, of: tuple[str, ...]) -> tuple[str, ...]:
    if scope is None:
        return of
    asked = tuple(dict.fromkeys(scope.split()))
    if not asked or not set(asked) <= set(of):
        raise Rejected("scope must be one that can be given here", code="invalid_scope")
    return asked


def _proves(verifier: str, challenge: str) -> bool:
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = hashlib.sha256(verifier.encode()).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).decode().rstrip("="), challenge)
