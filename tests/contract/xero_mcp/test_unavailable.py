"""While the database does not answer, a token is neither good nor bad, and its client is told to come back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx

from libs.database.roles import role_of
from tests.contract.xero_mcp.asking import opens, post, refreshing, registered, tokens_of
from tests.contract.xero_mcp.conftest import mcp_stage
from tests.support.postgres import PostgresFixture
from tests.support.until import until
from tests.support.web import web_client


@asynccontextmanager
async def shut_out(postgres: PostgresFixture) -> AsyncIterator[None]:
    """Postgres has no connection left for xero_mcp meanwhile."""
    admin, role = await asyncpg.connect(postgres.dsn), role_of("xero_mcp")
    try:
        await admin.execute(f"ALTER ROLE {role} CONNECTION LIMIT 0")
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", role)
        yield
    finally:
        await admin.execute(f"ALTER ROLE {role} CONNECTION LIMIT -1")
        await admin.close()


async def test_a_client_is_told_to_come_back_and_is_let_in_again(postgres: PostgresFixture) -> None:
    async with mcp_stage(postgres) as stage:
        client = await registered(stage)
        tokens = await tokens_of(stage, client)
        async with shut_out(postgres):
            async with web_client() as http:
                called = await http.post(stage.mcp.url, headers={"Authorization": f"Bearer {tokens['access_token']}"})
            refreshed = await post(stage, "/token", refreshing(client, tokens["refresh_token"]))
        for answer in (called, refreshed):
            assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
            assert int(answer.headers["Retry-After"]) > 0
        await until(lambda: opens(stage, tokens["access_token"]))
        assert (await post(stage, "/token", refreshing(client, tokens["refresh_token"]))).status_code == httpx.codes.OK
