"""Tokens of a workspace that was erased: nothing opens what they carry, so they are as unknown as any other.

Where its keys are refused to us for another reason, nobody knows what a token is, and no program is told that it ended.
"""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

import pytest

from libs.contracts.errors import Rejected, Transient
from libs.crypto.bearer import mint
from libs.database.memory import MemoryDatabase
from libs.database.port import Transaction
from libs.runtime.clock import SystemClock
from services.xero_mcp.adapters.memory import MemoryXeroMcpStore
from services.xero_mcp.domain.token import Token, TokenKind
from services.xero_mcp.flow.tokens import McpTokens


class Refused(MemoryXeroMcpStore):
    """Rows whose keys are refused."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self._code = code

    async def token(
        self, tx: Transaction, kind: TokenKind, sha256: bytes, *, now: datetime, hold: bool = False
    ) -> Token | None:
        del tx, kind, sha256, now, hold
        raise Rejected("There is no key for you.", code=self._code)


def holding(store: MemoryXeroMcpStore) -> McpTokens:
    """Tokens over these rows."""
    return McpTokens(database=MemoryDatabase(), store=store, clock=SystemClock(), believed_seconds=5)


async def test_a_token_of_an_erased_workspace_buys_opens_and_ends_nothing() -> None:
    tokens = holding(Refused("workspace_erased"))
    text = mint(uuid4()).text
    for kind in ("code", "refresh"):
        bought = await tokens.buy(kind, text, client="c", scopes_of=lambda _: ("xero.read",))
        assert bought is None
    assert await tokens.verified(text) is None
    assert await tokens.consent_of(text, "access", "refresh", client="c") is None


async def test_where_the_keys_are_refused_for_another_reason_nobody_knows() -> None:
    tokens = holding(Refused("service_token_expired"))
    text = mint(uuid4()).text
    with pytest.raises(Transient):
        await tokens.verified(text)
    with pytest.raises(Transient):
        await tokens.buy("refresh", text, client="c", scopes_of=lambda _: ("xero.read",))
