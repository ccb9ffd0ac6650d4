"""How fast raw records become decisions: `python -m tests.bench.raw_to_decision [ROWS] [--csv FILE]`.

The whole way of the embedded transport on one machine: real Postgres, sealed rows, and every consumer group of the
all-in-one process, those included that only listen. The records of both providers are pulled first and stand as raw
records in ingest's log; then the clock starts, and it stops when the last bill is decided. Without `--csv` the bills
are made up; `bills-sheffield.csv.gz` holds public ones.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import shutil
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

from libs.bus.embedded import Consumer
from libs.bus.port import Subscription
from libs.contracts.identity import RecordKind
from libs.crypto.keyring import Sealer
from libs.database.embedded import start_embedded
from libs.database.migrate import migrate
from libs.database.schemas import SERVICES
from libs.eventlog.opened import OpenedEvents
from libs.runtime.clock import SystemClock
from libs.runtime.collector import collect_rarely
from libs.runtime.rounds import Rounds, any_of_them
from services.console.main import build as build_console
from services.ingest.adapters.memory_providers import MemoryProvider
from services.ingest.adapters.postgres import PostgresStore
from services.ingest.flow.documents import DocumentRequests
from services.ingest.flow.normalize import Normalizer
from services.ingest.flow.pull import Puller
from services.matcher.main import MatcherService
from services.matcher.main import build as build_matcher
from services.pusher.adapters.postgres import PostgresStore as PusherStore
from services.pusher.flow.intend import Intend
from tests.support.keys import MemoryKeyring
from tests.support.postgres import PostgresFixture
from tests.support.until import until
from well.demo.company.company import Company
from well.demo.company.csv_bills import read_bills_csv
from well.demo.company.from_csv import company_from_csv
from well.demo.company.made_up import make_company

_TODAY = date(2026, 11, 1)
_CHANGED = datetime(2026, 10, 1, tzinfo=UTC)

DEADLINE_SECONDS = 600.0
"""Seconds. A hundred thousand bills take less on a machine that does nothing else."""


class _Connected:
    """One workspace, connected to both providers."""

    def __init__(self, workspace: UUID) -> None:
        self._workspace = workspace

    async def workspaces(self) -> list[UUID]:
        return [self._workspace]

    async def connected(self) -> list[UUID]:
        return [self._workspace]


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


async def _pulled(company: Company, postgres: PostgresFixture, connected: _Connected) -> None:
    """Both providers read to the end: their records stand in ingest's log."""
    provider, clock = _provider(company, postgres.workspace), SystemClock()
    database, log = await postgres.database("ingest"), postgres.log("ingest")
    rounds = Rounds("bench.pull", connected.connected, any_of_them, clock)
    for name in ("xero", "qonto"):
        puller = Puller(name, provider, database, log, PostgresStore(), postgres.sealer, rounds, clock, 900.0, 300.0)
        while await puller.step():
            pass


async def _matcher(postgres: PostgresFixture, connected: _Connected) -> MatcherService:
    return build_matcher(
        database=await postgres.database("matcher"),
        log=postgres.log("matcher"),
        sealer=postgres.sealer,
        clock=SystemClock(),
        workspaces=connected,
    )


async def _consumers(postgres: PostgresFixture, matcher: MatcherService) -> list[Consumer]:
    """Every group of the all-in-one process, but for those that hear only of postings."""
    store, clock, reader = PostgresStore(), SystemClock(), await postgres.reader()
    console = build_console(
        database=await postgres.database("console"), log=postgres.log("console"), sealer=postgres.sealer, clock=clock
    )
    groups: dict[str, tuple[Subscription, ...]] = {
        "ingest": (
            Normalizer(store, postgres.sealer, clock).subscription(),
            DocumentRequests(store.jobs).subscription(),
        ),
        "matcher": matcher.subscriptions,
        "pusher": (Intend(PusherStore(postgres.sealer), clock).subscription(),),
        "console": console.subscriptions,
    }
    return [
        Consumer(group, database=await postgres.database(owner), log=postgres.log(owner), reader=reader, clock=clock)
        for owner, subscriptions in groups.items()
        for group in subscriptions
    ]


async def _decided(matcher: MatcherService, consumers: list[Consumer], workspace: UUID, bills: int) -> dict[str, float]:
    """Run until every bill is decided; the counts, and the seconds and CPU seconds it took."""

    async def counts() -> dict[str, int] | None:
        found = dict(await matcher.counts(workspace))
        return found if not found.get("due") and sum(found.values()) >= bills else None

    stop = asyncio.Event()
    begun, begun_cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as tasks:
        for runs in (*consumers, *matcher.workers):
            tasks.create_task(runs.run(stop))
        found = await until(counts, deadline_seconds=DEADLINE_SECONDS)
        taken, taken_cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
        stop.set()
    return {**(found or {}), "seconds_to_decide": taken, "cpu_seconds": taken_cpu}


async def measured(company: Company, folder: Path) -> dict[str, float]:
    """Pull, then decide; figures in seconds and in records a second."""
    server = await start_embedded(folder / "pg")
    await migrate(server.dsn, services=SERVICES)
    postgres = PostgresFixture(server.dsn, Sealer(MemoryKeyring()), uuid4(), OpenedEvents())
    connected = _Connected(postgres.workspace)
    started = time.perf_counter()
    await _pulled(company, postgres, connected)
    pulled_seconds = time.perf_counter() - started
    matcher = await _matcher(postgres, connected)
    bills, records = len(company.xero_invoices), _records(company)
    found = await _decided(matcher, await _consumers(postgres, matcher), postgres.workspace, bills)
    await postgres.close()
    await server.stop()
    return {
        **found,
        "records": records,
        "seconds_to_pull": pulled_seconds,
        "records_per_second": records / found["seconds_to_decide"],
        "bills_per_second": bills / found["seconds_to_decide"],
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _records(company: Company) -> int:
    return len(company.xero_contacts) + len(company.xero_invoices) + len(company.qonto_invoices)


def main() -> None:
    """Measure, and print a line a figure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=5_000)
    parser.add_argument("--csv", type=Path)
    asked = parser.parse_args()
    collect_rarely()
    company = (
        company_from_csv(read_bills_csv(asked.csv, asked.rows), 1, _TODAY) if asked.csv else make_company(1, _TODAY)
    )
    folder = Path(tempfile.mkdtemp(prefix="well-bench-"))
    folder.chmod(0o755)
    try:
        for name, value in asyncio.run(measured(company, folder)).items():
            sys.stdout.write(f"{name:24} {value:,.1f}\n")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
