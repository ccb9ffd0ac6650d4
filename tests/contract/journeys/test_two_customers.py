"""A second workspace in the same run sees none of the first one's rows, in SQL and over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from libs.contracts.errors import Rejected
from libs.contracts.identity import record_of
from libs.database.roles import role_of
from libs.database.schemas import SERVICES
from libs.runtime.tls import authorities
from services.ingest.adapters.mcp_grant import GrantKeeper
from services.ingest.adapters.postgres import PostgresStore
from tests.contract.journeys.stage import Customer, Stage, books_of, running_stage
from tests.support.postgres import PostgresFixture

FIRST = Customer(uuid4(), "aaaaaaaa-0000-4000-8000-0000000000aa", str(uuid4()), "Aubergine", 3)
SECOND = Customer(uuid4(), "bbbbbbbb-0000-4000-8000-0000000000bb", str(uuid4()), "Betterave", 2)

_TABLES_WITH_A_WORKSPACE = """
SELECT c.oid::regclass::text AS name, n.nspname AS service
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace' AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY($1::text[])
"""

_LISTS_WORKSPACES = "auth.workspace"
"""The one table whose ids its own service may list: it must know whom to work for, and it holds nothing else."""


async def test_a_second_workspace_sees_nothing_of_the_first(postgres: PostgresFixture) -> None:
    async with running_stage(postgres.dsn) as stage:
        for customer in (FIRST, SECOND):
            await stage.open_for(customer, **books_of(customer))
        for customer in (FIRST, SECOND):
            await stage.all_decided(customer)
        await _in_sql_no_service_sees_a_row_of_another_workspace(postgres)
        await _over_mcp_a_token_opens_its_own_organisation_only(stage)
        await _queues_trails_and_pages_show_nothing_of_another(stage)


async def _in_sql_no_service_sees_a_row_of_another_workspace(postgres: PostgresFixture) -> None:
    admin = await postgres.admin()
    seen_by_all = 0
    for table in await admin.fetch(_TABLES_WITH_A_WORKSPACE, list(SERVICES)):
        name, role = table["name"], role_of(table["service"])
        here = await admin.fetchval(f"SELECT count(*) FROM {name} WHERE workspace = $1", FIRST.workspace)  # noqa: S608 the name is from the catalogue
        seen_by_all += here
        for workspace in (SECOND.workspace, None):
            assert await _foreign_rows(postgres, name, role, workspace, FIRST.workspace) == 0, name
    assert seen_by_all > 20


async def _foreign_rows(postgres: PostgresFixture, table: str, role: str, workspace: UUID | None, foreign: UUID) -> int:
    """Rows of one workspace that a service's role sees while it works for another, or for none."""
    if table == _LISTS_WORKSPACES:
        return 0
    connection = await asyncpg.connect(postgres.dsn, user=role)
    try:
        async with connection.transaction():
            await connection.execute("SELECT set_config('app.workspace', $1, true)", str(workspace or ""))
            count: int = await connection.fetchval(f"SELECT count(*) FROM {table} WHERE workspace = $1", foreign)  # noqa: S608 as above
            return count
    except asyncpg.InsufficientPrivilegeError:
        return 0
    finally:
        await connection.close()


async def _over_mcp_a_token_opens_its_own_organisation_only(stage: Stage) -> None:
    for customer, other in ((FIRST, SECOND), (SECOND, FIRST)):
        token = await _token(stage, customer)
        listed = await _call(stage, token, "list_invoices", {})
        assert {bill["InvoiceID"] for bill in listed["invoices"]} == set(customer.bill_ids())
        for tool in ("get_invoice", "list_attachments"):
            refusal = await _call(stage, token, tool, {"invoice_id": other.bill_ids()[0]})
            assert refusal["error"]["code"] == "not_found"


async def _queues_trails_and_pages_show_nothing_of_another(stage: Stage) -> None:
    services = stage.well.services
    for customer, other in ((FIRST, SECOND), (SECOND, FIRST)):
        foreign = other.bill_ids()[0]
        with pytest.raises(Rejected) as refusal:
            await services.console.queue.bill(customer.workspace, foreign)
        assert refusal.value.code == "no_such_bill"
        record = record_of("xero", "bill", foreign)
        assert await services.trail.of_record(customer.workspace, record) == []
        assert await services.trail.of_record(other.workspace, record) != []
        status = (await stage.http.get(f"{stage.well.url}/status")).text
        assert customer.word not in status
        assert other.word not in status
        async with stage.browser(customer) as browser:
            page = await browser.get(f"{stage.well.url}/connect/xero", follow_redirects=True)
            assert other.word not in page.text


async def _token(stage: Stage, customer: Customer) -> str:
    keeper = GrantKeeper(
        stage.well.storage.databases["ingest"],
        PostgresStore(),
        stage.well.storage.sealers.tokens,
        customer.workspace,
        stage.well.services.xero_mcp.url,
    )
    grant = await keeper.load()
    assert grant is not None
    return grant.access_token


async def _call(stage: Stage, token: str, tool: str, arguments: dict[str, str]) -> dict[str, Any]:
    url = stage.well.services.xero_mcp.url
    async with (
        httpx2.AsyncClient(verify=authorities(), headers={"Authorization": f"Bearer {token}"}) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        answer = await client.call_tool(tool, arguments)
    said: dict[str, Any] | None = answer.structured_content
    assert said is not None
    return said
