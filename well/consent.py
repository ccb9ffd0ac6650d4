"""A person consents in a browser, beside the process that `well up` runs."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from aiohttp import web
from rich.console import Console

from libs.contracts.errors import Rejected, Transient
from libs.contracts.identity import Provider
from libs.runtime.clock import SystemClock
from services.auth.adapters.postgres import PostgresAuthStore
from services.auth.flow.tickets import Tickets
from services.ingest.adapters.mcp_clients import KeptClients
from services.ingest.adapters.mcp_consent import Consents, Identity
from services.ingest.adapters.mcp_grant import GrantKeeper
from services.ingest.adapters.postgres import PostgresStore
from services.ingest.api import CALLBACK_PATH, callback_only
from well.home import Installation, live
from well.settings import registered_by_hand
from well.storage import Storage, opened_storage

CONSENT_SECONDS: Final = 600.0
"""Seconds a person has in the browser; both providers' codes live no longer."""

LOOK_SECONDS: Final = 0.5
"""Seconds between looks whether the consent has arrived."""


async def consent_in_browser(provider: Provider, named: UUID | None) -> None:
    """Show a person where to consent, and wait until the consent is there.

    Raises:
        Rejected: `not_up` when `well up` was never started here.
        Transient: Nobody consented in time, or Postgres does not answer.
    """
    installation, clock, console = live(), SystemClock(), Console()
    url = installation.state().get("url")
    if url is None:
        raise Rejected("Start `well up` first; it serves the pages you consent on.", code="not_up")
    workspace = named or installation.workspace()
    async with opened_storage(installation, clock, database_url=installation.database_url) as storage:
        store = PostgresAuthStore(storage.sealers.tokens)
        tickets = Tickets(database=storage.databases["auth"], store=store, clock=clock)
        ticket = await tickets.issue(workspace, "sign_in")
        console.print(f"1. Sign this browser in (the link works once):\n   {url}/sign-in?ticket={ticket.text}\n")
        if provider == "xero":
            await _consent_over_mcp(installation, storage, workspace, console)
        else:
            console.print(f"2. Consent at Qonto:\n   {url}/connect/qonto\n")
            await _until_active(storage, store, workspace)
    console.print(f"[green]✓[/] {provider.capitalize()} is connected.")


async def _consent_over_mcp(installation: Installation, storage: Storage, workspace: UUID, console: Console) -> None:
    """Xero is read through our MCP server: the person consents there, and the server asks Xero."""

    async def show(address: str) -> None:
        console.print(f"2. Consent to reading Xero:\n   {address}\n", soft_wrap=True)

    mcp_url = f"http://localhost:{installation.remembered_port('xero_mcp')}/mcp"

    def keeper_of(whose: UUID) -> GrantKeeper:
        return GrantKeeper(storage.databases["ingest"], PostgresStore(), storage.sealers.tokens, whose, mcp_url)

    bound = socket.create_server(("127.0.0.1", 0))
    callback_url = f"http://localhost:{bound.getsockname()[1]}{CALLBACK_PATH}"
    kept = KeptClients(storage.databases["ingest"], PostgresStore(), storage.sealers.tokens, SystemClock())
    identity = Identity(callback_url, "xero.read", by_hand=registered_by_hand(os.environ))
    consents = Consents(mcp_url, identity, SystemClock(), keeper_of, kept)
    async with _serving(callback_only(consents), bound):
        await consents.connect(workspace, show)


async def _until_active(storage: Storage, store: PostgresAuthStore, workspace: UUID) -> None:
    try:
        async with asyncio.timeout(CONSENT_SECONDS):
            while True:
                async with storage.databases["auth"].transaction(workspace) as tx:
                    connection = await store.connection(tx, "qonto")
                if connection is not None and connection.state == "active":
                    return
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        raise Transient("Nobody consented within ten minutes; run the command again.") from None


@asynccontextmanager
async def _serving(app: web.Application, bound: socket.socket) -> AsyncIterator[None]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.SockSite(runner, bound).start()
        yield
    finally:
        await runner.cleanup()
