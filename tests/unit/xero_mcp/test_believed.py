"""An access token that was found good is believed for some seconds, and never beyond its end."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from libs.contracts.consented import Consented
from libs.database.memory import MemoryDatabase
from libs.runtime.clock import ManualClock
from services.xero_mcp.adapters.memory import MemoryXeroMcpStore
from services.xero_mcp.domain.token import LASTS
from services.xero_mcp.flow.tokens import REMEMBERED_TOKENS, McpTokens

CONTENT = {"scopes": ["xero.read"], "resource": "https://mcp.example/mcp"}


async def bought(tokens: McpTokens) -> str:
    """An access token of a workspace of its own."""
    code = await tokens.add_code(Consented(uuid4(), uuid4()), "client", CONTENT)
    issued = await tokens.buy("code", code, client="client", scopes_of=lambda _: ("xero.read",))
    assert issued is not None
    return issued.access


async def test_it_ends_when_it_ends_and_a_revocation_elsewhere_is_noticed_in_seconds() -> None:
    clock, database, store = ManualClock(datetime(2026, 11, 26, tzinfo=UTC)), MemoryDatabase(), MemoryXeroMcpStore()
    here, elsewhere = (McpTokens(database=database, store=store, clock=clock, believed_seconds=5) for _ in range(2))
    text = await bought(here)
    clock.advance(LASTS["access"].total_seconds() - 2)
    assert await here.verified(text) is not None
    clock.advance(2)
    assert await here.verified(text) is None
    text = await bought(here)
    assert await here.verified(text) is not None
    consented = await elsewhere.consent_of(text, "access", client="client")
    assert consented is not None
    await elsewhere.end(consented)
    assert await here.verified(text) is not None
    clock.advance(5)
    assert await here.verified(text) is None


async def test_so_many_tokens_are_believed_without_a_look_and_no_more() -> None:
    clock, store = ManualClock(datetime(2026, 11, 26, tzinfo=UTC)), MemoryXeroMcpStore()
    tokens = McpTokens(database=MemoryDatabase(), store=store, clock=clock, believed_seconds=5)
    for _ in range(REMEMBERED_TOKENS + 1):
        assert await tokens.verified(await bought(tokens)) is not None
    assert len(tokens._remembered) == REMEMBERED_TOKENS
