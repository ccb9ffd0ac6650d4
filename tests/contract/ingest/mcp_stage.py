"""Ingest's side of MCP beside a server that can be told how to misbehave, and a person with a browser."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import httpx

from libs.runtime.clock import SystemClock
from libs.runtime.serving import serving
from services.ingest.adapters.mcp_clients import KeptClients
from services.ingest.adapters.mcp_consent import Consents, Identity
from services.ingest.adapters.mcp_grant import GrantKeeper
from services.ingest.adapters.mcp_returns import Returns
from services.ingest.adapters.mcp_xero import XeroOverMcp
from services.ingest.api import CALLBACK_PATH, application
from services.ingest.domain.registration import RegisteredByHand
from services.ingest.flow.connect import Departures
from tests.contract.ingest.conftest import Kept
from tests.contract.ingest.mcp_stand_in import McpStandIn
from tests.support.web import web_client

SCOPE = "xero.read"


@dataclass
class Ingest:
    """The parts of ingest that speak MCP, and a person with a browser."""

    kept: Kept
    server: McpStandIn
    consents: Consents
    callback_url: str
    person: UUID
    readers: list[XeroOverMcp] = field(default_factory=list)
    pages: list[httpx.Response] = field(default_factory=list)

    async def visitor(self, session: str) -> UUID:
        """Whose browser comes: whoever consents just now."""
        del session
        return self.person

    def reader(self, url: str | None = None) -> XeroOverMcp:
        """A reader as a process has it after its start."""
        self.readers.append(XeroOverMcp(url or self.server.mcp_url, self.consents.keeper_of, self.kept.clock))
        return self.readers[-1]

    async def consent(self, workspace: UUID | None = None) -> None:
        self.person = workspace or self.kept.workspace
        await self.consents.connect(self.person, self.browse)

    async def browse(self, url: str) -> None:
        async with web_client(follow_redirects=True) as browser:
            self.pages.append(await browser.get(url))


@asynccontextmanager
async def staged(
    kept: Kept, server: McpStandIn, *, document: str | None = None, by_hand: RegisteredByHand | None = None
) -> AsyncIterator[Ingest]:
    """Ingest's side, with its callback served."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{bound.getsockname()[1]}{CALLBACK_PATH}"

    def keeper(workspace: UUID) -> GrantKeeper:
        return GrantKeeper(kept.database, kept.store, kept.sealer, workspace, server.mcp_url)

    clients = KeptClients(kept.database, kept.store, kept.sealer, kept.clock)
    returns = Returns(kept.database, kept.store, kept.sealer, SystemClock())
    identity = Identity(url, SCOPE, document, by_hand)
    consents = Consents(server.mcp_url, identity, kept.clock, keeper, clients, returns)
    made = Ingest(kept, server, consents, url, kept.workspace)
    async with serving(application(consents, Departures(consents.connect), made), bound):
        yield made
        for reader in made.readers:
            await reader.close()
