"""What stands between a bearer token and a tool: the SDK asks, our tokens and auth's consents answer."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from mcp.server.auth.middleware.bearer_auth import RequireAuthMiddleware
from mcp.server.auth.provider import AccessToken
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from services.xero_mcp.flow.standing import Standing
from services.xero_mcp.flow.tokens import McpTokens


@dataclass(frozen=True)
class Bearers:
    """The SDK's verifier of access tokens."""

    tokens: McpTokens
    standing: Standing

    async def verify_token(self, token: str) -> AccessToken | None:
        """Whom a token stands for; None when it is none of ours, too old, ended, or its workspace was erased.

        Raises:
            Transient: The database or auth does not answer; see `Unavailable`.
        """
        held = await self.tokens.verified(token)
        if held is None or not await self.standing.of(held.consented):
            return None
        return AccessToken(
            token=token,
            client_id=held.client,
            scopes=held.content["scopes"],
            expires_at=int(held.expires_at.timestamp()),
            resource=held.content["resource"],
            subject=str(held.consented.workspace),
        )


def answer_posts_alone(app: Starlette) -> None:
    """Refuse what a token could hold open without end.

    This server says nothing unasked, but the SDK answers a GET with a stream that waits for it, as long as the client
    likes and longer than its token is good. Source: MCP 2025-11-25, streamable HTTP, "Listening for messages": 405.
    """
    for route in app.router.routes:
        if isinstance(route, Route) and isinstance(route.app, RequireAuthMiddleware):
            route.app.app = _only_posts(route.app.app)


def _only_posts(app: ASGIApp) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        refused = Response(status_code=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"})
        await (app if scope["method"] == "POST" else refused)(scope, receive, send)

    return answer
