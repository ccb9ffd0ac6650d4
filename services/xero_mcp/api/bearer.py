"""What stands between a bearer token and a tool: the SDK asks, our tokens answer."""

from __future__ import annotations

from dataclasses import dataclass

from mcp.server.auth.provider import AccessToken

from services.xero_mcp.flow.tokens import McpTokens


@dataclass(frozen=True)
class Bearers:
    """The SDK's verifier of access tokens."""

    tokens: McpTokens

    async def verify_token(self, token: str) -> AccessToken | None:
        """Whom a token stands for; None when it is none of ours, too old, or its workspace was erased."""
        held = await self.tokens.verified(token)
        if held is None:
            return None
        return AccessToken(
            token=token,
            client_id=held.client,
            scopes=held.content["scopes"],
            expires_at=int(held.expires_at.timestamp()),
            resource=held.content["resource"],
            subject=str(held.workspace),
        )
