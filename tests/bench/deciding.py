"""What the benchmarks of deciding share: records that stand as raw in ingest's log, and who takes them on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from libs.bus.port import Subscription
from libs.contracts.envelope import Envelope
from libs.contracts.identity import RecordKind
from libs.crypto.keyring import Keyring, sealers_of
from libs.crypto.opened import Opened
from libs.database.postgres import open_database, open_pool
from libs.database.roles import RELAY, role_of
from libs.eventlog.reader import PostgresLogReader
from libs.runtime.clock import SystemClock
from libs.runtime.rounds import Rounds, any_of_them
from libs.runtime.worker import Worker
from services.console.main import build as build_console
from services.ingest.adapters.memory_providers import MemoryProvider
from services.ingest.adapters.postgres import PostgresStore
from services.ingest.flow.documents import DocumentRequests
from services.ingest.flow.normalize import Normalizer
from services.ingest.flow.pull import Puller
from services.matcher.main import build as build_matcher
from services.pusher.adapters.postgres import PostgresStore as PusherStore
from services.pusher.flow.intend import Intend
from tests.support.until import until
from well.demo.company.company import Company
from well.storage import Storage
from well.transport import Cluster, relays_of, transport_of

DECIDING: Final = ("ingest", "matcher", "pusher", "console")
"""The services that take part."""

START_SECONDS: Final = 60.0
"""Seconds until the members of a process have their partitions."""

_CHANGED = datetime(2026, 10, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Work:
    """What a service does here."""

    subscriptions: tuple[Subscription, ...]
    workers: tuple[Worker, ...] = ()


class Connected:
    """One workspace, connected to both providers."""

    def __init__(self, workspace: UUID) -> None:
        self.workspace = workspace

    async def workspaces(self) -> list[UUID]:
        """All that there are."""
        return [self.workspace]

    async def connected(self) -> list[UUID]:
        """All that are connected."""
        return [self.workspace]


def _provider(company: Company, workspace: UUID) -> MemoryProvider:
    """A provider that holds the company's records on both sides."""
    provider = MemoryProvider()
    lists: list[tuple[RecordKind, str, list[dict[str, object]]]] = [
        ("contact", "ContactID", [_in_text(each) for each in company.xero_contacts]),
        ("bill", "InvoiceID", [_in_text(invoice) for invoice in company.xero_invoices]),
        ("supplier_invoice", "id", [_in_text(each) for each in company.qonto_invoices]),
    ]
    for kind, id_field, records in lists:
        for record in records:
            provider.change(workspace, kind, str(record[id_field]), record, at=_CHANGED)
    return provider


def _in_text(words: object) -> object:
    """Numbers as the text they are written in, as `xero_mcp` hands them on."""
    if isinstance(words, dict):
        return {key: _in_text(value) for key, value in words.items()}
    if isinstance(words, list):
        return [_in_text(value) for value in words]
    return str(words) if isinstance(words, Decimal) else words


async def pull(company: Company, storage: Storage, connected: Connected) -> None:
    """Both providers read to the end: their records stand in ingest's log."""
    provider, clock = _provider(company, connected.workspace), SystemClock()
    database, log, sealer = storage.databases["ingest"], storage.log("ingest"), storage.sealers.payloads
    rounds = Rounds("bench.pull", connected.connected, any_of_them, clock)
    for name in ("xero", "qonto"):
        puller = Puller(name, provider, database, log, PostgresStore(), sealer, rounds, clock, 900.0, 300.0)
        while await puller.step():
            pass


@asynccontextmanager
async def opened(dsn: str, keyring: Keyring, services: Collection[str]) -> AsyncIterator[Storage]:
    """The rows, logs and keys of these services in one process, as long as the block lasts."""
    async with AsyncExitStack() as stack:
        databases = {}
        for service in services:
            databases[service] = await open_database(dsn, role=role_of(service))
            stack.push_async_callback(databases[service].close)
        pool = await open_pool(dsn, role=RELAY)
        stack.push_async_callback(pool.close)
        sealers, seen = sealers_of(keyring, SystemClock()), Opened[Envelope]()
        reader = PostgresLogReader(pool, sealers.payloads, seen)
        stack.push_async_callback(reader.close)
        yield Storage(dsn, databases, keyring, None, sealers, seen, reader, pool, ())


def work_of(service: str, storage: Storage, connected: Connected) -> Work:
    """What a service hears and does on the way to a decision; groups that hear only of postings are left out."""
    database, log, sealer, clock = (
        storage.databases[service],
        storage.log(service),
        storage.sealers.payloads,
        SystemClock(),
    )
    if service == "ingest":
        store = PostgresStore()
        groups = (Normalizer(store, sealer, clock).subscription(), DocumentRequests(store.jobs).subscription())
        return Work(groups)
    if service == "matcher":
        matcher = build_matcher(database=database, log=log, sealer=sealer, clock=clock, workspaces=connected)
        return Work(matcher.subscriptions, matcher.workers)
    if service == "pusher":
        return Work((Intend(PusherStore(sealer), clock).subscription(),))
    return Work(build_console(database=database, log=log, sealer=sealer, clock=clock).subscriptions)


@asynccontextmanager
async def at_work(
    services: Collection[str],
    storage: Storage,
    connected: Connected,
    cluster: Cluster | None,
    told_to_begin: Callable[[], Awaitable[object]],
) -> AsyncIterator[None]:
    """These services at work as long as the block lasts; over Kafka they join their groups before they may begin."""
    clock, stop = SystemClock(), asyncio.Event()
    works = {service: work_of(service, storage, connected) for service in services}
    carriers = [
        carrier
        for service, work in works.items()
        for carrier in transport_of(service, storage, clock, cluster)(work.subscriptions)
    ]
    others = [
        job for service, work in works.items() for job in (*work.workers, *relays_of(service, storage, clock, cluster))
    ]

    async def begun() -> None:
        await told_to_begin()
        for job in (*others, *(carriers if cluster is None else ())):
            tasks.create_task(job.run(stop))

    async def joined() -> bool:
        return all(getattr(carrier, "partitions", None) for carrier in carriers)

    async with asyncio.TaskGroup() as tasks:
        if cluster is not None:
            for carrier in carriers:
                tasks.create_task(carrier.run(stop))
            await until(joined, deadline_seconds=START_SECONDS)
        tasks.create_task(begun())
        yield
        stop.set()
