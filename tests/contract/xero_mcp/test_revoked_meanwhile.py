"""A consent that ends while one of its tokens is spent. Only Postgres shows it: its twin does one thing at a time."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from libs.contracts.consented import Consented
from libs.crypto.bearer import parse
from libs.runtime.clock import SystemClock
from services.xero_mcp.adapters.postgres import PostgresXeroMcpStore
from services.xero_mcp.domain.token import Token
from services.xero_mcp.flow.tokens import McpTokens
from tests.support.postgres import PostgresFixture
from tests.support.until import until


async def test_what_is_bought_while_a_consent_ends_ends_with_it(postgres: PostgresFixture) -> None:
    database, store, clock = await postgres.database("xero_mcp"), PostgresXeroMcpStore(postgres.sealer), SystemClock()
    tokens = McpTokens(database=database, store=store, clock=clock, believed_seconds=5)
    content = {"scopes": ["xero.read"], "resource": "https://mcp.example/mcp"}
    consented = Consented(postgres.workspace, uuid4())
    code = await tokens.add_code(consented, "client", content)
    issued = await tokens.buy("code", code, client="client", scopes_of=lambda _: ("xero.read",))
    assert issued is not None
    assert issued.refresh is not None
    bearer, admin = parse(issued.refresh), await postgres.admin()
    assert bearer is not None

    async def revocation_waits() -> bool:
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(await admin.fetchval(waiting))

    async with database.transaction(postgres.workspace) as tx:
        now = clock.now()
        spent = await store.token(tx, "refresh", bearer.sha256, now=now, hold=True)
        assert spent is not None
        await store.add_tokens(
            tx, [Token("refresh", uuid4().bytes, spent.family, "client", spent.content, spent.expires_at)], now=now
        )
        revoking = asyncio.create_task(tokens.end(consented))
        await until(revocation_waits)
    await revoking
    async with database.transaction(postgres.workspace) as tx:
        assert await store.count(tx, "refresh", now=clock.now()) == 0
