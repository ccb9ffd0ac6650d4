"""The world that services run apart in: stand-ins, an empty Postgres made ready, and Kafka's topics."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg

from libs.crypto.key_provider import FileKeyProvider
from libs.database.embedded import start_embedded
from libs.database.postgres import open_database, open_pool
from libs.database.roles import RELAY, role_of
from libs.eventlog.reader import PostgresLogReader
from libs.runtime.clock import SystemClock
from services.auth.adapters.postgres_keys import PostgresKeyStore
from services.auth.main import build_keyring
from tests.e2e.apart import Apart
from tests.support.keys import sealer_over
from tests.support.ports import free_port
from well.apart import NEEDS
from well.demo.company import Company
from well.demo.scene import lay_out
from well.demo.standins import running_standins
from well.home import Installation


@asynccontextmanager
async def services_apart(
    company: Company, bytecode: Path, kafka: tuple[str, str] | None = None
) -> AsyncIterator[Apart]:
    """Stand-ins that hold a company, an empty Postgres made ready, and no service yet."""
    folder = _open_folder()
    installation = Installation(folder / "demo")
    installation.make()
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        server = await start_embedded(installation.postgres)
        stack.push_async_callback(server.stop)
        standins = await stack.enter_async_context(running_standins(installation))
        await lay_out(company, installation, standins)
        admin = await asyncpg.create_pool(server.dsn, min_size=1, max_size=2)
        stack.push_async_callback(admin.close)
        ports = {service: (free_port(), free_port()) for service in NEEDS}
        apart = Apart(
            installation, standins, server.dsn, admin, server, ports, installation.workspace(), bytecode, kafka
        )
        await apart.command("secrets", str(installation.folder / "secrets"))
        await apart.command("migrate")
        if kafka is not None:
            await apart.command("topics", "apply", "--yes", "--replicas=1", "--partitions=8")
        apart.reader = await _reader(stack, installation, server.dsn)
        stack.push_async_callback(_end, apart)
        yield apart


def _open_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="well-apart-"))
    folder.chmod(0o755)  # as root, Postgres runs as another user
    return folder


async def _reader(stack: AsyncExitStack, installation: Installation, dsn: str) -> PostgresLogReader:
    auth = await open_database(dsn, role=role_of("auth"))
    stack.push_async_callback(auth.close)
    pool = await open_pool(dsn, role=RELAY, connections=1)
    stack.push_async_callback(pool.close)
    provider = FileKeyProvider(installation.key_file)
    keyring = build_keyring(database=auth, store=PostgresKeyStore(), key_provider=provider, clock=SystemClock())
    return PostgresLogReader(pool, sealer_over(keyring))


async def _end(apart: Apart) -> None:
    for process in apart.started.values():
        if process.poll() is None:
            process.kill()
        await asyncio.to_thread(process.wait)
