"""The authorization server over HTTP. `openapi.json` beside this file says the same to machines.

```
GET  /.well-known/oauth-authorization-server   RFC 8414
GET  /authorize, POST                          RFC 6749, 7636, 8707, 9207
GET  /consented                                where auth's consent page comes back to
POST /token                                    RFC 6749, 7636, 8707
POST /register                                 RFC 7591
POST /revoke                                   RFC 7009
```

The SDK has endpoints of its own; they are not used, since they answer some errors with other words than the RFCs do,
never look at `resource` when tokens are fetched, leave `iss` out of refusals and know no client documents (mcp 2.3).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import orjson
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from libs.contracts.errors import Rejected, Transient, WellError
from libs.runtime.clock import Clock
from services.xero_mcp.api.busy import retry_after
from services.xero_mcp.api.forms import Words, client_of, metadata_words, words_of
from services.xero_mcp.domain.registration import AUTH_METHODS, GRANT_TYPES, Client
from services.xero_mcp.domain.token import LASTS, SCOPE
from services.xero_mcp.flow.authorize import Asked, McpAuthorization, redirect_of
from services.xero_mcp.flow.clients import Clients, metadata_of
from services.xero_mcp.flow.tokens import Issued

_NEVER_KEPT: Final = {"Cache-Control": "no-store", "Pragma": "no-cache", "Referrer-Policy": "no-referrer"}
"""An answer with a token, a code or a state in it is neither kept nor told to others. Source: RFC 6749, section 5.1."""

_FOR_AN_HOUR: Final = {"Cache-Control": "public, max-age=3600"}

Endpoint = Callable[[Request], Awaitable[Response]]


def server_metadata(issuer: str) -> dict[str, Any]:
    """What the server says about itself (RFC 8414, section 2)."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "registration_endpoint": f"{issuer}/register",
        "revocation_endpoint": f"{issuer}/revoke",
        "scopes_supported": [SCOPE],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANT_TYPES),
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": True,
    }


@dataclass(frozen=True)
class OAuthEndpoints:
    """The handlers."""

    issuer: str
    authorization: McpAuthorization
    clients: Clients
    clock: Clock

    def routes(self) -> list[Route]:
        """The endpoints. Those that a program in a browser may call are open to every origin: no cookie opens them."""
        return [
            _route("/.well-known/oauth-authorization-server", self._metadata, "GET", shared=True),
            _route("/authorize", self._authorize, "GET", "POST"),
            _route("/consented", self._consented, "GET"),
            _route("/token", _answered(self._token), "POST", shared=True),
            _route("/register", _answered(self._register), "POST", shared=True),
            _route("/revoke", _answered(self._revoke), "POST", shared=True),
        ]

    async def _metadata(self, _: Request) -> Response:
        return _json(server_metadata(self.issuer), headers=_FOR_AN_HOUR)

    async def _authorize(self, request: Request) -> Response:
        try:
            words = await words_of(request)
            asked = await self._asked(words)
        except WellError as error:
            # There is no address yet that may be believed, so the browser stays here (RFC 6749, section 4.1.2.1).
            return _told(error)
        try:
            words.check_once()
            address = await self.authorization.ask(
                asked,
                response_type=words.needed("response_type"),
                challenge=words.get("code_challenge"),
                method=words.get("code_challenge_method"),
                scope=words.get("scope"),
                resources=words.resources,
            )
        except Rejected as refusal:
            said = {"error": refusal.code, "error_description": refusal.sentence}
            address = self.authorization.answer(asked.redirect_uri, asked.state, **said)
        except WellError as error:
            said = {"error": "temporarily_unavailable", "error_description": error.sentence}
            address = self.authorization.answer(asked.redirect_uri, asked.state, **said)
        return _sent_on(address)

    async def _asked(self, words: Words) -> Asked:
        if {"client_id", "redirect_uri"} & words.repeated:
            raise Rejected(
                "This link of a program says twice who it is from or where it leads.", code="invalid_request"
            )
        client = await self.clients.asking(words.get("client_id") or "")
        if client is None:
            sentence = "This program is not known here, or no longer. Go back to it and connect again."
            raise Rejected(sentence, code="invalid_request")
        redirect_uri = redirect_of(client, words.get("redirect_uri"))
        if redirect_uri is None:
            sentence = "This link would lead to an address that its program never named. Nothing was sent there."
            raise Rejected(sentence, code="invalid_request")
        return Asked(client, redirect_uri, words.get("redirect_uri") is not None, words.get("state"))

    async def _consented(self, request: Request) -> Response:
        try:
            words = await words_of(request)
            address = await self.authorization.consented(words.get("request") or "", grant=words.get("grant"))
        except WellError as error:
            return _told(error)
        return _sent_on(address)

    async def _token(self, request: Request) -> Response:
        words = await words_of(request)
        words.check_once()
        grant = words.needed("grant_type")
        if grant not in GRANT_TYPES:
            raise Rejected("there is no such grant_type here", code="unsupported_grant_type")
        client = await client_of(request, words, self.clients)
        if grant == "authorization_code":
            return _tokens(
                await self.authorization.redeem(
                    client,
                    words.needed("code"),
                    redirect_uri=words.get("redirect_uri"),
                    verifier=words.needed("code_verifier"),
                    resources=words.resources,
                )
            )
        if not client.refreshes:
            raise Rejected("the client did not register for refresh tokens", code="unauthorized_client")
        token, scope = words.needed("refresh_token"), words.get("scope")
        return _tokens(await self.authorization.refresh(client, token, scope=scope, resources=words.resources))

    async def _register(self, request: Request) -> Response:
        client = await self.clients.register(await metadata_words(request))
        made_at = int(self.clock.now().timestamp())
        return _json({**_identity(client), "client_id_issued_at": made_at, **metadata_of(client), "scope": SCOPE}, 201)

    async def _revoke(self, request: Request) -> Response:
        words = await words_of(request)
        words.check_once()
        client = await client_of(request, words, self.clients)
        await self.authorization.revoke(client, words.needed("token"))
        return Response(headers=_NEVER_KEPT)


def _identity(client: Client) -> dict[str, Any]:
    if client.secret is None:
        return {"client_id": client.id}
    return {"client_id": client.id, "client_secret": client.secret, "client_secret_expires_at": 0}


def _tokens(issued: Issued) -> Response:
    words = {
        "access_token": issued.access,
        "token_type": "Bearer",
        "expires_in": int(LASTS["access"].total_seconds()),
        "scope": " ".join(issued.scopes),
    }
    return _json(words if issued.refresh is None else {**words, "refresh_token": issued.refresh})


def _route(path: str, endpoint: Endpoint, *methods: str, shared: bool = False) -> Route:
    route = Route(path, endpoint, methods=list(methods))
    if not shared:
        route.methods = set(methods)  # Starlette adds HEAD to GET, but who only looks begins and ends no consent
        return route
    headers = ["Authorization", "Content-Type", "MCP-Protocol-Version"]
    alone = route.handle  # an OPTIONS that asks about no origin goes no further
    app = CORSMiddleware(alone, allow_origins=("*",), allow_methods=methods, allow_headers=headers)
    return Route(path, app, methods=[*methods, "OPTIONS"])


def _answered(endpoint: Endpoint) -> Endpoint:
    """The endpoint, whose errors are told in JSON (RFC 6749, section 5.2; RFC 7591, section 3.2.2)."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Rejected as refusal:
            said = {"error": refusal.code, "error_description": refusal.sentence}
            if refusal.code == "invalid_client":
                return _json(said, HTTPStatus.UNAUTHORIZED, {"WWW-Authenticate": 'Basic realm="well"'})
            return _json(said, HTTPStatus.BAD_REQUEST)
        except Transient as error:
            said = {"error": "temporarily_unavailable", "error_description": error.sentence}
            # Only a limit of ours knows when there is room again; what is down does not.
            limit = error.retry_after_seconds is not None
            status = HTTPStatus.TOO_MANY_REQUESTS if limit else HTTPStatus.SERVICE_UNAVAILABLE
            return _json(said, status, retry_after(error))

    return answer


def _json(words: dict[str, Any], status: int = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(words), status, {**_NEVER_KEPT, **(headers or {})}, "application/json")


def _told(error: WellError) -> Response:
    """A sentence for the person whose browser this is."""
    status = HTTPStatus.SERVICE_UNAVAILABLE if isinstance(error, Transient) else HTTPStatus.BAD_REQUEST
    return PlainTextResponse(error.sentence, status, _NEVER_KEPT)


def _sent_on(address: str) -> Response:
    return RedirectResponse(address, HTTPStatus.FOUND, _NEVER_KEPT)
