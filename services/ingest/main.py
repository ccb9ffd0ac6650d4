"""Wiring of ingest: no rule lives here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import asyncpg
from aiohttp import web

from libs.blobs.port import BlobStore
from libs.bus.port import Subscription
from libs.contracts.identity import Provider
from libs.crypto.keyring import Sealers
from libs.database.port import Database
from libs.eventlog.port import EventLog
from libs.qonto.client import QontoClient
from libs.runtime.clock import Clock
from libs.runtime.rounds import Rounds, any_of_them
from libs.runtime.worker import Worker
from services.ingest.adapters.mcp_clients import KeptClients
from services.ingest.adapters.mcp_consent import Consents, Identity, OpenBrowser
from services.ingest.adapters.mcp_grant import GrantKeeper
from services.ingest.adapters.mcp_returns import Returns
from services.ingest.adapters.mcp_xero import XeroOverMcp
from services.ingest.adapters.postgres import PostgresStore
from services.ingest.adapters.postgres_due import documents_due, pulls_due
from services.ingest.adapters.qonto_http import QontoOverHttp
from services.ingest.api import application
from services.ingest.config import IngestSettings
from services.ingest.domain.patience import longest_wait_seconds
from services.ingest.flow.connect import Departures
from services.ingest.flow.documents import DocumentRequests
from services.ingest.flow.fetch import Fetcher
from services.ingest.flow.normalize import Normalizer
from services.ingest.flow.pull import Puller
from services.ingest.flow.renormalize import Renormalizer
from services.ingest.flow.status import IngestStatus, status
from services.ingest.ports import Reader, Store, TokenLender, Visitors, Workspaces


@dataclass(frozen=True)
class IngestService:
    """Ingest, ready to run.

    Attributes:
        subscriptions: Its consumer groups.
        workers: Its jobs.
        app: Where a browser leaves to connect Xero and comes back to; mount it at the root, as `callback_url` says.
        connect_xero: Has a person consent at the MCP server; returns when the grant is kept.
        has_xero_grant: Whether a grant of that server is kept; auth may be connected to Xero without one.
        status: How a workspace stands.
        renormalize: Says every record of a workspace anew without asking a provider.
        close: Close what was opened.
    """

    subscriptions: tuple[Subscription, ...]
    workers: tuple[Worker, ...]
    app: web.Application
    connect_xero: Callable[[UUID, OpenBrowser], Awaitable[None]]
    has_xero_grant: Callable[[UUID], Awaitable[bool]]
    status: Callable[[UUID], Awaitable[IngestStatus]]
    renormalize: Callable[[UUID], Awaitable[int]]
    close: Callable[[], Awaitable[None]]


def build(
    *,
    database: Database,
    log: EventLog,
    sealers: Sealers,
    blobs: BlobStore,
    qonto: QontoClient,
    lender: TokenLender,
    workspaces: Workspaces,
    visitors: Visitors,
    clock: Clock,
    settings: IngestSettings,
    carrying: asyncpg.Pool | None = None,
    store: Store | None = None,
) -> IngestService:
    """Put ingest together.

    `carrying` are connections of the role that sees when jobs are due: without them every workspace is visited.
    `store` is the one in Postgres unless another is given.
    """
    kept = store or PostgresStore()

    def keeper_of(workspace: UUID) -> GrantKeeper:
        return GrantKeeper(database, kept, sealers.tokens, workspace, settings.xero_mcp_url)

    xero = XeroOverMcp(settings.xero_mcp_url, keeper_of, clock)
    rows = (database, kept, sealers.tokens, clock)
    consents = _consents(settings, clock, keeper_of, KeptClients(*rows), Returns(*rows))

    def puller(provider: Provider, reader: Reader) -> Puller:
        pace = (settings.poll_seconds, settings.overlap_seconds)
        pulling = _pulling(provider, workspaces, carrying, clock, settings)
        return Puller(provider, reader, database, log, kept, sealers.payloads, pulling, clock, *pace)

    care = (settings.fetches_at_once, settings.taken_jobs, settings.lease_seconds)
    fetcher = Fetcher(xero, blobs, database, log, kept.jobs, _fetching(workspaces, carrying, clock), clock, *care)
    pull_xero, pull_qonto = puller("xero", xero), puller("qonto", QontoOverHttp(qonto, lender))

    async def has_xero_grant(workspace: UUID) -> bool:
        return await keeper_of(workspace).load() is not None

    async def connect_xero(workspace: UUID, open_browser: OpenBrowser) -> None:
        await consents.connect(workspace, open_browser)
        await xero.forget(workspace)
        await pull_xero.hurry(workspace)

    departures = Departures(connect_xero)
    return IngestService(
        subscriptions=(
            Normalizer(kept, sealers.payloads, clock).subscription(),
            DocumentRequests(kept.jobs).subscription(),
        ),
        workers=tuple(_worker(job, settings) for job in (pull_xero, pull_qonto, fetcher)),
        app=application(consents, departures, visitors),
        connect_xero=connect_xero,
        has_xero_grant=has_xero_grant,
        status=lambda workspace: status(database, kept, workspace),
        renormalize=Renormalizer(database, log, kept, sealers.payloads, clock).renormalize,
        close=partial(_close, departures, xero),
    )


def _consents(
    settings: IngestSettings,
    clock: Clock,
    keeper_of: Callable[[UUID], GrantKeeper],
    clients: KeptClients,
    returns: Returns,
) -> Consents:
    identity = Identity(
        settings.callback_url,
        settings.xero_mcp_scope,
        settings.client_document_url,
        settings.registered_by_hand,
    )
    return Consents(settings.xero_mcp_url, identity, clock, keeper_of, clients, returns)


async def _close(departures: Departures, xero: XeroOverMcp) -> None:
    await departures.close()
    await xero.close()


def _worker(job: Puller | Fetcher, settings: IngestSettings) -> Worker:
    return Worker(job.rounds.name, job.step, settings.idle_seconds, job.rounds)


def _pulling(
    provider: Provider, workspaces: Workspaces, carrying: asyncpg.Pool | None, clock: Clock, settings: IngestSettings
) -> Rounds:
    longest = longest_wait_seconds(settings.poll_seconds)
    due = pulls_due(carrying, provider, longest_seconds=longest) if carrying else any_of_them
    return Rounds(f"ingest.pull_{provider}", partial(workspaces.connected, provider), due, clock)


def _fetching(workspaces: Workspaces, carrying: asyncpg.Pool | None, clock: Clock) -> Rounds:
    due = documents_due(carrying) if carrying else any_of_them
    return Rounds("ingest.fetch", partial(workspaces.connected, "xero"), due, clock)
