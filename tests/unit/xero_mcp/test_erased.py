"""Tokens of a workspace that was erased: nothing opens what they carry, so they are as unknown as any other."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from libs.contracts.errors import Rejected
from libs.crypto.bearer import mint
from libs.database.memory import MemoryDatabase
from libs.database.port import Transaction
from libs.runtime.clock import SystemClock
from services.xero_mcp.adapters.memory import MemoryXeroMcpStore
from services.xero_mcp.domain.token import Token, TokenKind
from services.xero_mcp.flow.tokens import McpTokens


class Erased(MemoryXeroMcpStore):
    """Rows whose keys were destroyed."""

    async def token(
        self, tx: Transaction, kind: TokenKind, sha256: bytes, *, now: datetime, hold: bool = False
    ) -> Token | None:
        del tx, kind, sha256, now, hold
        raise Rejected("This workspace was erased.", code="workspace_erased")


async def test_a_token_of_an_erased_workspace_buys_opens_and_ends_nothing() -> None:
    tokens = McpTokens(database=MemoryDatabase(), store=Erased(), clock=SystemClock(), believed_seconds=5)
    text = mint(uuid4()).text
    for kind in ("code", "refresh"):
        bought = await tokens.buy(kind, text, client="c", scopes_of=lambda _: ("xero.read",))
        assert bought is None
    assert await tokens.verified(text) is None
    assert await tokens.consent_of(text, "access", "refresh", client="c") is None
