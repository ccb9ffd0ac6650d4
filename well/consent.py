"""A person consents in a browser, beside the process that `well up` runs."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import webbrowser
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import httpx
from rich.console import Console

from libs.contracts.errors import Rejected, Transient
from libs.contracts.identity import Provider
from libs.runtime.clock import SystemClock
from libs.runtime.serving import serving
from libs.runtime.tls import authorities
from services.auth.adapters.postgres import PostgresAuthStore
from services.auth.domain.connection import TITLES, Connection
from services.auth.domain.consent import Visit
from services.auth.flow.listing import Listing
from services.auth.flow.tickets import Tickets
from services.ingest.adapters.mcp_clients import KeptClients
from services.ingest.adapters.mcp_consent import Consents, Identity
from services.ingest.adapters.mcp_grant import GrantKeeper
from services.ingest.adapters.mcp_returns import Returns
from services.ingest.adapters.postgres import PostgresStore
from services.ingest.api import CALLBACK_PATH, callback_only
from well.called import called
from well.commands.connection_screens import asked_for, connected, link
from well.home import Installation, live
from well.loopback import waiting_loopback
from well.settings import registered_by_hand
from well.storage import Storage, opened_storage
from well.whose import to_connect

CONSENT_SECONDS: Final = 600.0
"""Seconds a person has in the browser; both providers' codes live no longer."""

ANSWER_SECONDS: Final = 5.0
"""Seconds until `well up` must have said that it lives: it is on this machine."""

_WAITING: Final = "Waiting for your answer there, ten minutes at most. Ctrl-C stops waiting."


@dataclass(frozen=True)
class Wish:
    """What a person wants to connect.

    Attributes:
        provider: What.
        workspace: Whose; None for the one of this machine.
        bank_matching: Whether Qonto is asked for the scope that bank matching needs; None leaves it as it is.
        browser: Whether a browser may be opened.
    """

    provider: Provider
    workspace: UUID | None
    bank_matching: bool | None
    browser: bool


async def consent_in_browser(wish: Wish) -> None:
    """Say what will be asked, open a browser, wait until the consent is there, and say what it is.

    Raises:
        Rejected: `workspace_missing`; `not_up` when `well up` does not run here; `consent_refused` when the person said
            no; else why the consent could not be kept.
        Transient: Nobody consented in time, or Postgres does not answer.
    """
    installation, clock = live(), SystemClock()
    url = await url_of(installation)
    async with opened_storage(installation, clock, database_url=installation.database_url) as storage:
        workspace = await to_connect(wish.workspace, installation, storage)
        store, database = PostgresAuthStore(storage.sealers.tokens), storage.databases["auth"]
        visit = _Leaving(
            wish, url, workspace, Tickets(database=database, store=store, clock=clock), Console(highlight=False)
        )
        listing = Listing(database=database, store=store)
        before = next((each for each in await listing.of(workspace) if each.provider == wish.provider), None)
        visit.console.print(asked_for(wish.provider, before, bank_matching=wish.bank_matching))
        try:
            async with asyncio.timeout(CONSENT_SECONDS):
                await (visit.to_xero(installation, storage) if wish.provider == "xero" else visit.to_qonto())
        except TimeoutError:
            raise Transient("Nobody consented within ten minutes; run the command again.") from None
        now = await listing.of(workspace)
        visit.console.print(connected(_active(now, wish.provider), now, called()))


async def url_of(installation: Installation) -> str:
    """Where the process of an installation serves its pages.

    Raises:
        Rejected: `not_up` when it does not.
    """
    url = installation.state().get("url")
    if url is not None:
        async with httpx.AsyncClient(verify=authorities(), timeout=ANSWER_SECONDS) as http:
            try:
                await http.get(f"{url}/livez")
            except httpx.RequestError:
                url = None
    if url is None:
        raise Rejected(
            "Start `well up` first, and leave it running; it serves the pages you consent on.", code="not_up"
        )
    return str(url)


@dataclass(frozen=True)
class _Leaving:
    """A visit to a provider, from the link that is shown to the answer that comes back."""

    wish: Wish
    url: str
    workspace: UUID
    tickets: Tickets
    console: Console

    async def to_xero(self, installation: Installation, storage: Storage) -> None:
        """Xero is read through our MCP server: the person consents there, and the server asks Xero."""
        mcp_url = f"http://localhost:{installation.remembered_port('xero_mcp')}/mcp"

        database, sealer, clock = storage.databases["ingest"], storage.sealers.tokens, SystemClock()

        def keeper_of(whose: UUID) -> GrantKeeper:
            return GrantKeeper(database, PostgresStore(), sealer, whose, mcp_url)

        bound = socket.create_server(("127.0.0.1", 0))
        callback_url = f"http://localhost:{bound.getsockname()[1]}{CALLBACK_PATH}"
        kept = KeptClients(database, PostgresStore(), sealer, clock)
        identity = Identity(callback_url, "xero.read", by_hand=registered_by_hand(os.environ))
        returns = Returns(database, PostgresStore(), sealer, clock)
        consents = Consents(mcp_url, identity, clock, keeper_of, kept, returns)
        async with serving(callback_only(consents, self.workspace), bound):
            with self.console.status(_WAITING):
                await consents.connect(self.workspace, lambda address: self._leave(Visit(address)))

    async def to_qonto(self) -> None:
        """Qonto is asked by auth itself, whose callback sends the browser on to us."""
        switch = {None: "", True: "&bank_matching=on", False: "&bank_matching=off"}[self.wish.bank_matching]
        async with waiting_loopback() as loopback:
            with self.console.status(_WAITING):
                await self._leave(Visit(f"{self.url}/connect/qonto?for=command{switch}", loopback.url))
                ending = await loopback.ending()
        if ending.outcome == "refused":
            raise Rejected("Qonto was not connected: the access was refused there.", code="consent_refused")
        if ending.outcome != "connected":
            raise Rejected(ending.sentence or "Qonto was not connected.", code="consent_failed")

    async def _leave(self, visit: Visit) -> None:
        ticket = await self.tickets.issue(self.workspace, "sign_in", visit.to_bytes())
        address = f"{self.url}/sign-in?ticket={ticket.text}"
        opened = self.wish.browser and _has_browser() and await asyncio.to_thread(webbrowser.open, address)
        self.console.print(link(address, opened=opened), soft_wrap=True)


def _has_browser() -> bool:
    """Whether a browser can show a window here: one for terminals would take ours, and nobody looks at a server's."""
    named = any(os.environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))
    return named or sys.platform in {"darwin", "win32"}


def _active(connections: list[Connection], provider: Provider) -> Connection:
    for connection in connections:
        if connection.provider == provider and connection.state == "active":
            return connection
    raise Rejected(f"{TITLES[provider]} was not connected.", code="consent_failed")
