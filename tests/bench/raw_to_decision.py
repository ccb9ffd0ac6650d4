"""How fast raw records become decisions: `python -m tests.bench.raw_to_decision [ROWS] [--csv FILE] [--kafka]`.

The records of both providers are pulled first and stand as raw records in ingest's log; then the clock starts, and it
stops when the last bill is decided. Real Postgres, sealed rows, and every group that has a part in it, those included
that only listen. First as one process that tails the logs; with `--kafka` then once more, each service a process of its
own with its relay in it, over a broker from jars; its groups have joined before the clock starts.

Without `--csv` the bills are made up; `bills-sheffield.csv.gz` holds public ones. CPU seconds are those of the time
between, by who took them; memory is what each process holds at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias
from uuid import uuid4

import asyncpg

from libs.database.embedded import start_embedded
from libs.database.migrate import migrate
from libs.database.schemas import SERVICES
from libs.runtime.collector import collect_rarely
from tests.bench.burnt import burnt_seconds, held_bytes
from tests.bench.deciding import DECIDING, Connected, at_work, opened, pull
from tests.bench.deciding_apart import make_topics, working_apart
from tests.support.kafka_broker import JarBroker, free_ports
from tests.support.keys import MemoryKeyring
from tests.support.until import until
from well.demo.company.company import Company
from well.demo.company.csv_bills import read_bills_csv
from well.demo.company.from_csv import company_from_csv
from well.demo.company.made_up import make_company
from well.transport import Cluster

_TODAY: Final = date(2026, 11, 1)

DEADLINE_SECONDS: Final = 600.0
"""Seconds. A hundred thousand bills take less on a machine that does nothing else."""

_SAID: Final = "SELECT coalesce(sum(sequence), 0) FROM matcher.event_head"
"""Events of the matcher; 64 rows, since looking a hundred times a second must not be what is measured."""

_STILL: Final = """
SELECT (SELECT count(*) FROM matcher.decision WHERE generation = 1), (SELECT count(*) FROM matcher.bill WHERE is_due)
"""

Working: TypeAlias = Callable[
    [str, MemoryKeyring, Connected], AbstractAsyncContextManager[tuple[Callable[[], None], Mapping[str, int]]]
]
"""Has every service ready; gives what lets them begin, and the processes that work, by name."""


@asynccontextmanager
async def _in_one_process(
    dsn: str, keyring: MemoryKeyring, connected: Connected
) -> AsyncIterator[tuple[Callable[[], None], Mapping[str, int]]]:
    begin = asyncio.Event()
    async with opened(dsn, keyring, DECIDING) as storage, at_work(DECIDING, storage, connected, None, begin.wait):
        yield begin.set, {"services": os.getpid()}


def _over_kafka(replicas: int, folder: Path) -> Working:
    @asynccontextmanager
    async def working(
        dsn: str, keyring: MemoryKeyring, connected: Connected
    ) -> AsyncIterator[tuple[Callable[[], None], Mapping[str, int]]]:
        broker = JarBroker(folder / "kafka", free_ports(), os.getpid())
        await broker.start()
        try:
            cluster = Cluster(broker.ports.bootstrap, "bench.")
            await make_topics(cluster)
            with working_apart(dsn, keyring, connected, cluster, replicas) as (begin, processes):
                yield begin, {**processes, "broker": broker.pid}
        finally:
            await broker.stop()

    return working


async def measured(company: Company, folder: Path, working: Working) -> dict[str, float]:
    """Pull, then decide; figures in seconds and in records a second."""
    connected, keyring = Connected(uuid4()), MemoryKeyring()
    await keyring.keys(connected.workspace, "payloads")
    bills, records = len(company.xero_invoices), _records(company)
    async with AsyncExitStack() as stack:
        server = await start_embedded(folder / "pg")
        stack.push_async_callback(server.stop)
        await migrate(server.dsn, services=SERVICES)
        async with opened(server.dsn, keyring, ("ingest",)) as storage:
            await pull(company, storage, connected)
        admin = await asyncpg.connect(server.dsn)
        stack.push_async_callback(admin.close)
        begin, processes = await stack.enter_async_context(working(server.dsn, keyring, connected))

        async def all_decided() -> bool:
            if await admin.fetchval(_SAID) < bills:
                return False
            decided, due = await admin.fetchrow(_STILL)
            return decided >= bills and not due

        burners = {**processes, "postgres": int((folder / "pg" / "postmaster.pid").read_text().splitlines()[0])}
        burnt, begun = burnt_seconds(burners), time.perf_counter()
        begin()
        await until(all_decided, deadline_seconds=DEADLINE_SECONDS)
        taken = time.perf_counter() - begun
        cpu = {f"cpu_seconds_{name}": now - burnt[name] for name, now in burnt_seconds(burners).items()}
        memory = {f"memory_mb_{name}": held / 1024**2 for name, held in held_bytes(processes).items()}
    return {
        "records": records,
        "seconds": taken,
        "records_per_second": records / taken,
        "bills_per_second": bills / taken,
        "cpu_seconds": sum(cpu.values()),
        **cpu,
        **memory,
    }


def _records(company: Company) -> int:
    return len(company.xero_contacts) + len(company.xero_invoices) + len(company.qonto_invoices)


async def _all(company: Company, ways: Mapping[str, Callable[[Path], Working]]) -> None:
    for way, working_in in ways.items():
        with tempfile.TemporaryDirectory(prefix="well-bench-", ignore_cleanup_errors=True) as made:
            await asyncio.to_thread(os.chmod, made, 0o755)  # as root, Postgres runs as another user
            sys.stdout.write(f"{way}\n")
            for name, value in (await measured(company, Path(made), working_in(Path(made)))).items():
                sys.stdout.write(f"  {name:24} {value:,.1f}\n")


def main() -> None:
    """Measure, and print a line a figure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=5_000)
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--kafka", action="store_true", help="Over Kafka too.")
    parser.add_argument("--replicas", type=int, default=1, help="Of ingest and of the matcher, over Kafka.")
    asked = parser.parse_args()
    collect_rarely()
    company = (
        company_from_csv(read_bills_csv(asked.csv, asked.rows), 1, _TODAY) if asked.csv else make_company(1, _TODAY)
    )
    ways: dict[str, Callable[[Path], Working]] = {"embedded": lambda _: _in_one_process}
    if asked.kafka:
        ways["kafka"] = partial(_over_kafka, asked.replicas)
    asyncio.run(_all(company, ways))


if __name__ == "__main__":
    main()
