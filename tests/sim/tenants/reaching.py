"""The ways by which one customer may try to reach another: pages, MCP, flows behind commands, SQL as each service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from libs.bus.kafka.message import LogRow, message_of
from libs.contracts.errors import Rejected
from libs.contracts.identity import record_of
from libs.database.roles import role_of
from libs.database.schemas import SERVICES
from libs.eventlog.port import Position, RawDelivery
from libs.runtime.clock import SystemClock
from libs.runtime.listen import bound_socket, port_of
from libs.runtime.serving import serving
from libs.runtime.tls import authorities
from services.ingest.adapters.mcp_grant import GrantKeeper
from services.ingest.adapters.postgres import PostgresStore
from services.insights.adapters.memory import MemoryLines
from services.insights.adapters.sealed_verdicts import SealedVerdicts
from services.insights.api import application
from services.insights.flow.read_model import ReadModel
from tests.contract.journeys.stage import Customer, Stage
from tests.support.postgres import PostgresFixture
from tests.support.web import web_client

TOOLS: Final = {
    "list_invoices": (),
    "list_contacts": (),
    "get_invoice": ("invoice_id",),
    "list_attachments": ("invoice_id",),
    "get_attachment": ("invoice_id", "attachment_id"),
}

NAMED: Final = (
    "ticket",
    "state",
    "code",
    "form",
    "request",
    "grant",
    "workspace",
    "account",
    "return_to",
    "client_id",
    "program",
)
"""What pages read from an address or a form, and what somebody may think that they read."""

LISTS_WORKSPACES: Final = "auth.workspace"
"""The one table whose ids its own service may list: it must know whom to work for, and it holds nothing else."""

_TABLES: Final = """
SELECT c.oid::regclass::text AS name, n.nspname AS service FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace' AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY($1::text[]) ORDER BY 1
"""

_STATEMENTS: Final = (
    "SELECT count(*) FROM {table} WHERE workspace = $1",
    "WITH gone AS (DELETE FROM {table} WHERE workspace = $1 RETURNING 1) SELECT count(*) FROM gone",
    "WITH new AS (UPDATE {table} SET workspace = workspace WHERE workspace = $1 RETURNING 1) SELECT count(*) FROM new",
    "WITH given AS (UPDATE {table} SET workspace = $1 RETURNING 1) SELECT count(*) FROM given",
)

_PULLED: Final = """
SELECT bucket, sequence, workspace, event_id, topic, event_type, occurred_at, record_key, sealed, 0 AS previous
FROM ingest.event_log WHERE topic = 'xero.raw.v1' ORDER BY bucket, sequence
"""


@dataclass(frozen=True)
class Holding:
    """What a customer has in hand.

    Attributes:
        customer: Who.
        session: The cookie of its browser.
        token: Its access token at our MCP server.
        things: Ids, names and secrets of its own that another may have heard of, by what they are.
    """

    customer: Customer
    session: str = field(repr=False)
    token: str = field(repr=False)
    things: Mapping[str, str] = field(repr=False)

    def marks(self) -> tuple[str, ...]:
        """What stands in nothing that another may see."""
        customer = self.customer
        return (customer.word, customer.tenant, customer.organization, f"{customer.tenant[:8]}-")


@dataclass(frozen=True)
class World:
    """Two customers in one Well, with figures beside it."""

    stage: Stage
    postgres: PostgresFixture
    holdings: tuple[Holding, Holding]
    tables: tuple[tuple[str, str], ...]
    pages: tuple[tuple[str, str], ...]
    figures: ReadModel

    async def visited(self, page: tuple[str, str], thing: str, session: str) -> httpx.Response:
        """A page's answer to a browser, with a thing under every name in its address and in its form."""
        method, path = page
        url = f"{self._base(path)}{path.replace('{provider}', 'qonto')}"
        words = dict.fromkeys(NAMED, thing)
        async with web_client() as browser:
            browser.cookies.set("well_session", session)
            return await browser.request(method, url, params=words, data=words if method == "POST" else None)

    async def still_reads(self, workspace: UUID, program: str, *, ended_by: str) -> bool:
        """Whether a program of a workspace may still read after a browser, with a form of its own, tried to end it."""
        url = self.stage.well.url
        async with web_client() as browser:
            browser.cookies.set("well_session", ended_by)
            page = await browser.get(f"{url}/connections", headers={"Accept": "application/json"})
            await browser.post(f"{url}/programs/end", data={"form": page.json()["programs_form"], "program": program})
        programs = await self.stage.well.services.auth.programs.of(workspace)
        return program in {str(each.consent) for each in programs}

    async def called(self, token: str, tool: str, thing: str) -> str:
        """What a tool of our MCP server answers to a token."""
        url = self.stage.well.services.xero_mcp.url
        async with (
            httpx2.AsyncClient(verify=authorities(), headers={"Authorization": f"Bearer {token}"}) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            answer = await client.call_tool(tool, dict.fromkeys(TOOLS[tool], thing))
        return str(answer.structured_content) + str(answer.content)

    async def is_let_in(self, token: str) -> bool:
        """Whether the MCP server knows a token."""
        url = self.stage.well.services.xero_mcp.url
        words = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
        async with web_client() as http:
            return (await http.post(url, json=words, headers=headers)).status_code != HTTPStatus.UNAUTHORIZED

    async def asked(self, workspace: UUID, named: str) -> str:
        """What the flows of the command line say to one workspace of a bill that it names."""
        services = self.stage.well.services
        said = []
        for work in (
            services.console.queue.bill(workspace, named),
            services.console.queue.answer(workspace, named, "never", by="somebody"),
        ):
            try:
                said.append(repr(await work))
            except Rejected as refused:
                said.append(refused.code)
        trail = await services.trail.of_record(workspace, record_of("xero", "bill", named))
        return " ".join([*said, *(event.model_dump_json() for event in trail)])

    async def tried(self, mine: UUID, foreign: UUID) -> list[str]:
        """What services could do, as their roles, to another workspace's rows in a transaction of one."""
        return [done for table, service in self.tables for done in await self._tried(table, service, mine, foreign)]

    async def _tried(self, table: str, service: str, mine: UUID, foreign: UUID) -> list[str]:
        """Read, delete, change, and give one's own away; all of it is undone."""
        connection = await asyncpg.connect(self.postgres.dsn, user=role_of(service))
        done = []
        try:
            for statement in (each.replace("{table}", table) for each in _STATEMENTS):
                transaction = connection.transaction()
                await transaction.start()
                await connection.execute("SELECT set_config('app.workspace', $1, true)", str(mine))
                try:
                    rows = await connection.fetchval(statement, foreign)
                except asyncpg.InsufficientPrivilegeError:
                    rows = 0
                await transaction.rollback()
                if rows and not (table == LISTS_WORKSPACES and statement.startswith("SELECT")):
                    done.append(statement)
        finally:
            await connection.close()
        return done

    async def figures_of(self, session: str) -> dict[str, Any]:
        """What insights shows to a browser."""
        bound = bound_socket()
        app = application(self.figures, self.stage.well.services.auth)
        async with serving(app, bound), web_client() as browser:
            browser.cookies.set("well_session", session)
            answer = await browser.get(f"http://localhost:{port_of(bound)}/insights", params={"hours": 24})
        told: dict[str, Any] = answer.json()
        return told

    def _base(self, path: str) -> str:
        mcp = str(self.stage.well.services.xero_mcp.url).removesuffix("/mcp")
        return mcp if path in _MCP_PATHS else self.stage.well.url


_MCP_PATHS: Final = ("/authorize", "/consented", "/token", "/register", "/revoke")


async def world_of(stage: Stage, postgres: PostgresFixture, customers: tuple[Customer, Customer]) -> World:
    """Everything that there is to try, taken off the running Well."""
    well = stage.well
    admin = await postgres.admin()
    tables = tuple((row["name"], row["service"]) for row in await admin.fetch(_TABLES, list(SERVICES)))
    own = [
        (route.method, route.resource.canonical) for route in well.services.auth.app.router.routes() if route.resource
    ]
    pages = [page for page in own if page[0] in {"GET", "POST"} and not page[1].endswith("/disconnect")]
    pages += [(method, path) for path in _MCP_PATHS for method in ("GET", "POST")]
    first, second = [await _holding(stage, customer) for customer in customers]
    figures = await _figures(stage, await admin.fetch(_PULLED))
    return World(stage, postgres, (first, second), tables, tuple(pages), figures)


async def _holding(stage: Stage, customer: Customer) -> Holding:
    well, workspace = stage.well, customer.workspace
    ticket = (await well.services.auth.sign_in_ticket(workspace)).rpartition("=")[2]
    async with stage.browser(customer) as browser:
        session = browser.cookies["well_session"]
        away = await browser.get(f"{well.url}/connect/qonto")
    storage = well.storage
    keeper = GrantKeeper(
        storage.databases["ingest"], PostgresStore(), storage.sealers.tokens, workspace, well.services.xero_mcp.url
    )
    grant = await keeper.load()
    assert grant is not None
    (program,) = await well.services.auth.programs.of(workspace)
    things = {
        "program": str(program.consent),
        "ticket": ticket,
        "state": httpx.URL(away.headers["Location"]).params["state"],
        "reading": await well.services.auth.reading.grant(workspace, "a reader"),
        "session": session,
        "workspace": str(workspace),
        "tenant": customer.tenant,
        "organization": customer.organization,
        "bill": customer.bill_ids()[0],
        "record": record_of("xero", "bill", customer.bill_ids()[0]),
        "number": f"{customer.word}-0",
    }
    return Holding(customer, session, grant.access_token, things)


async def _figures(stage: Stage, rows: list[asyncpg.Record]) -> ReadModel:
    """Insights over what was pulled for both."""
    model = ReadModel(verdicts=SealedVerdicts(stage.well.storage.sealers.payloads), clock=SystemClock())
    await model.begin(MemoryLines())
    for row in rows:
        place = Position("ingest", row["topic"], row["bucket"], row["sequence"])
        raw = RawDelivery(place, row["workspace"], row["event_id"], row["sealed"])
        log_row = LogRow(raw, row["event_type"], row["occurred_at"], row["record_key"], row["previous"])
        await model.take(row["topic"], message_of(log_row))
    return model
