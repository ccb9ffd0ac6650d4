"""What it costs to find nothing to do, over many workspaces.

    .venv/bin/python -m tests.bench.runtime.idle 200

Makes so many workspaces with both providers connected and nothing due, in an embedded Postgres of its own, and prints
for each worker of the all-in-one process the milliseconds of one idle step: the median of some.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import asyncpg

from libs.contracts.identity import Provider
from libs.runtime.clock import SystemClock
from libs.runtime.worker import Worker
from services.auth.adapters.postgres import PostgresAuthStore
from services.auth.domain.connection import Account, Connection
from tests.support.web import web_client
from well.home import Installation
from well.settings import Settings
from well.storage import Storage, opened_storage
from well.wiring import Wiring

STEPS: Final = 15
"""Steps a worker, of which the median is taken."""

PROVIDERS: Final[tuple[Provider, ...]] = ("xero", "qonto")


async def _connect(storage: Storage, workspace: UUID, provider: Provider) -> None:
    now = SystemClock().now()
    connection = Connection(
        provider=provider,
        state="active",
        consent=uuid4(),
        account=Account("account", "Account"),
        scopes=(),
        generation=1,
        expires_at=now + timedelta(days=1),
        rotated_at=now,
        access_token="a",  # noqa: S106 no token
        refresh_token="r",  # noqa: S106 no token
        previous_refresh_token=None,
        refusal_at=None,
        refreshing_by=None,
        refreshing_until=None,
    )
    store = PostgresAuthStore(storage.sealers.tokens)
    await storage.sealers.tokens.of(workspace)  # its keys are made in a transaction of their own
    async with storage.databases["auth"].transaction(workspace) as tx:
        await store.mark_connected(tx, "eu", now)
        await store.put_connection(tx, connection)


async def _nothing_due(storage: Storage, workspaces: list[UUID]) -> None:
    admin = await asyncpg.connect(storage.dsn)
    for provider in PROVIDERS:
        await admin.execute(
            """
            INSERT INTO ingest.pull (
                workspace, provider, windows, due_at, failures, contacts, bills, supplier_invoices)
            SELECT each, $2, 1, now() + interval '10 minutes', 0, 0, 0, 0 FROM unnest($1::uuid[]) AS each
            """,
            workspaces,
            provider,
        )
        await admin.execute(
            "INSERT INTO matcher.window_seen SELECT each, $2, $2 || '/1', -1 FROM unnest($1::uuid[]) AS each",
            workspaces,
            provider,
        )
    await admin.close()


async def _milliseconds(worker: Worker) -> float:
    taken = []
    for _ in range(STEPS):
        begun = time.perf_counter()
        assert await worker.step() == 0
        taken.append((time.perf_counter() - begun) * 1000)
    return round(statistics.median(taken), 2)


async def measure(count: int, folder: Path) -> dict[str, float]:
    """Milliseconds of an idle step by worker, with so many workspaces."""
    installation, clock = Installation(folder / "live"), SystemClock()
    installation.make()
    settings = Settings("id", "secret", "id", "secret")
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(opened_storage(installation, clock, database_url=None))
        http = await stack.enter_async_context(web_client())
        urls = {"url": "http://localhost:9", "mcp_url": "http://localhost:9"}
        services = Wiring(settings, storage, clock, http, installation.blobs, **urls).services()
        stack.push_async_callback(services.ingest.close)
        workspaces = [uuid4() for _ in range(count)]
        for workspace in workspaces:
            for provider in PROVIDERS:
                await _connect(storage, workspace, provider)
        await _nothing_due(storage, workspaces)
        workers = (*services.ingest.workers, *services.matcher.workers, *services.pusher.workers)
        return {worker.name: await _milliseconds(worker) for worker in workers}


def main() -> None:
    """Print one JSON object a number of workspaces."""
    for count in map(int, sys.argv[1:] or ["1", "200"]):
        with tempfile.TemporaryDirectory(prefix="well-idle-") as folder:
            Path(folder).chmod(0o755)
            sys.stdout.write(json.dumps({"workspaces": count, **asyncio.run(measure(count, Path(folder)))}) + "\n")


if __name__ == "__main__":
    main()
