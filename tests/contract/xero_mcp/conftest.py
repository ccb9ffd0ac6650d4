"""xero_mcp beside auth and a stand-in of Xero, over memory and over Postgres."""

from __future__ import annotations

import base64
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit
from uuid import UUID, uuid4

import httpx
import pytest

from libs.crypto.bearer import INSTALLATION
from libs.database.port import Database
from libs.runtime.clock import ShiftedClock
from libs.runtime.listen import bound_socket, port_of
from libs.xero.standin import Standin, running_standin
from services.auth.adapters.memory import MemoryAuthStore
from services.auth.adapters.postgres import PostgresAuthStore
from services.xero_mcp.adapters.memory import MemoryXeroMcpStore
from services.xero_mcp.adapters.postgres import PostgresXeroMcpStore
from services.xero_mcp.config import XeroMcpSettings
from services.xero_mcp.domain.budget import Limits
from services.xero_mcp.main import XeroMcpService, build
from services.xero_mcp.ports import XeroMcpStore
from tests.support.auth import TENANT, RunningAuth, running_auth, told
from tests.support.memory import MemoryFixture
from tests.support.postgres import PostgresFixture
from tests.support.web import web_client

BILL = "b1110000-0000-4000-8000-000000000001"
FILE = "a1110000-0000-4000-8000-000000000001"
PDF = b"%PDF-1.4 a bill"


CALLBACK = "http://localhost:1/callback"
"""Where the client would listen; the browser of these tests stops in front of it."""


@dataclass(frozen=True)
class McpStage:
    """Everything an MCP client meets."""

    xero: Standin
    auth: RunningAuth
    mcp: XeroMcpService
    clock: ShiftedClock
    workspace: UUID
    database: Database
    store: XeroMcpStore

    @property
    def root(self) -> str:
        """The address of xero_mcp."""
        return self.mcp.url.removesuffix("/mcp")

    async def kept(self) -> dict[str, int]:
        """How many clients and tokens are kept, over the installation and the workspace."""
        counted = {"client": 0, "request": 0, "code": 0, "access": 0, "refresh": 0}
        for workspace in (INSTALLATION, self.workspace):
            async with self.database.transaction(workspace) as tx:
                counted["client"] += await self.store.count_clients(tx)
                for kind in ("request", "code", "access", "refresh"):
                    counted[kind] += await self.store.count(tx, kind, now=self.clock.now())
        return counted

    async def page(self, address: str) -> httpx.Response:
        """What a signed-in person sees who follows a client's link, Xero being connected."""
        await self.auth.connect(self.workspace, "xero")
        async with self.auth.signed_in(self.workspace) as browser:
            return await browser.get(address)

    async def visit(
        self, address: str, *, answer: str = "allow", workspace: UUID | None = None, home: str = CALLBACK
    ) -> dict[str, str]:
        """A signed-in person follows a client's link, answers its page, and arrives back with these words."""
        async with self.auth.signed_in(workspace or self.workspace) as browser:
            browser.follow_redirects = False
            response = await browser.get(address)
            while not response.headers.get("Location", "").startswith(home):
                if response.is_redirect:
                    response = await browser.get(urljoin(str(response.url), response.headers["Location"]))
                    continue
                form = re.search(r'name="form" value="([^"]+)"', response.text)
                assert form is not None, response.text
                words = {"form": form[1], "answer": answer}
                response = await browser.post(f"{self.auth.url}/consents/mcp", data=words)
        query = parse_qs(urlsplit(response.headers["Location"]).query)
        return {name: values[0] for name, values in query.items()}


@asynccontextmanager
async def mcp_stage(
    fixture: MemoryFixture | PostgresFixture,
    settings: dict[str, Any] | None = None,
    auth_settings: dict[str, Any] | None = None,
    trusted: ssl.SSLContext | None = None,
) -> AsyncIterator[McpStage]:
    """Xero, auth and xero_mcp, running; Xero holds one bill with one file."""
    in_memory = isinstance(fixture, MemoryFixture)
    clock, bound = ShiftedClock(), bound_socket()
    url = f"http://localhost:{port_of(bound)}"
    async with (
        running_standin(clock=clock) as xero,
        running_auth(
            xero,
            clock=clock,
            log=fixture.log("auth"),
            database=await fixture.database("auth"),
            store=MemoryAuthStore() if in_memory else PostgresAuthStore(fixture.sealer),
            settings=auth_settings,
        ) as auth,
        web_client() as http,
    ):
        database = await fixture.database("xero_mcp")
        store: XeroMcpStore = MemoryXeroMcpStore() if in_memory else PostgresXeroMcpStore(fixture.sealer)
        mcp = build(
            settings=XeroMcpSettings(url=url, **(settings or {"limits": Limits(per_minute=50)})),
            database=database,
            store=store,
            lender=auth.service,
            consents=auth.service,
            endpoints=xero.endpoints,
            http=http,
            clock=clock,
            trusted=trusted,
        )
        await told(xero, "records", one_bill())
        async with mcp.serving(bound):
            yield McpStage(xero, auth, mcp, clock, uuid4(), database, store)


def one_bill() -> dict[str, Any]:
    """A bill with a total that no float can hold, and its file."""
    contact = {"ContactID": "c1110000-0000-4000-8000-000000000001", "Name": "Papeterie Leroux"}
    bill = {
        "InvoiceID": BILL,
        "Type": "ACCPAY",
        "Status": "AUTHORISED",
        "InvoiceNumber": "F-2026-0042",
        "Contact": contact,
        "Total": "119.90",
        "CurrencyCode": "EUR",
    }
    file = {
        "invoice_id": BILL,
        "attachment_id": FILE,
        "file_name": "F-2026-0042.pdf",
        "content_base64": base64.b64encode(PDF).decode(),
    }
    return {"tenant_id": TENANT, "contacts": [contact], "invoices": [bill], "attachments": [file]}


@pytest.fixture(params=["memory", "postgres"])
def place(request: pytest.FixtureRequest) -> MemoryFixture | PostgresFixture:
    """Where rows lie."""
    chosen: MemoryFixture | PostgresFixture = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
async def stage(place: MemoryFixture | PostgresFixture) -> AsyncIterator[McpStage]:
    """Everything, with the page where a person answers."""
    async with mcp_stage(place) as running:
        yield running


@pytest.fixture
async def quick(memory: MemoryFixture) -> AsyncIterator[McpStage]:
    """The same over memory alone, for what is decided before any row is read."""
    async with mcp_stage(memory) as running:
        yield running
