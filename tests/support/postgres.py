"""A real Postgres for tests: one server a run, one database a test, made from a migrated template."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

import asyncpg
import pytest

from libs.contracts.envelope import Envelope
from libs.crypto.keyring import Sealer
from libs.crypto.opened import Opened
from libs.database.embedded import start_embedded
from libs.database.migrate import migrate
from libs.database.postgres import PostgresDatabase, open_database, open_pool
from libs.database.roles import RELAY, role_of
from libs.database.schemas import SERVICES
from libs.eventlog.postgres import PostgresEventLog
from libs.eventlog.reader import PostgresLogReader
from tests.support.keys import MemoryKeyring, sealer_over

_TEMPLATE = "well_template"

Result = TypeVar("Result")


@dataclass
class PostgresFixture:
    """A database of this test's own, with every service's schema.

    Attributes:
        dsn: Its address as superuser.
        sealer: Seals under keys that live as long as the test.
        workspace: A workspace to work in.
        opened: What logs and readers share; None lets every reader open for itself what it reads.
    """

    dsn: str
    sealer: Sealer = field(default_factory=lambda: sealer_over(MemoryKeyring()))
    workspace: UUID = field(default_factory=uuid4)
    opened: Opened[Envelope] | None = None
    _databases: dict[str, PostgresDatabase] = field(default_factory=dict)
    _pools: list[asyncpg.Pool] = field(default_factory=list)
    _readers: list[PostgresLogReader] = field(default_factory=list)

    async def database(self, service: str) -> PostgresDatabase:
        """The database as a service's role sees it."""
        if service not in self._databases:
            self._databases[service] = await open_database(self.dsn, role=role_of(service))
        return self._databases[service]

    def log(self, service: str) -> PostgresEventLog:
        """A service's event log."""
        return PostgresEventLog(service, self.sealer, self.opened)

    async def reader(self) -> PostgresLogReader:
        """What a transport reads the logs through."""
        pool = await open_pool(self.dsn, role=RELAY, connections=2)
        self._pools.append(pool)
        reader = PostgresLogReader(pool, self.sealer, self.opened)
        self._readers.append(reader)
        return reader

    async def admin(self) -> asyncpg.Pool:
        """A superuser's connections, to look at what lies in the tables."""
        pool = await asyncpg.create_pool(self.dsn, min_size=1, max_size=2)
        self._pools.append(pool)
        return pool

    async def close(self) -> None:
        """Close everything that was opened through this fixture."""
        for reader in self._readers:
            await reader.close()
        for database in self._databases.values():
            await database.close()
        for pool in self._pools:
            await pool.close()


def _address(dsn: str, database: str) -> str:
    return dsn.replace("/postgres?", f"/{database}?")


async def _make_template(dsn: str) -> None:
    admin = await asyncpg.connect(dsn)
    await admin.execute(f"CREATE DATABASE {_TEMPLATE}")
    await admin.close()
    migrations = Path(__file__).parents[2] / "deploy" / "migrations"
    built = tuple(service for service in SERVICES if (migrations / service).is_dir())
    await migrate(_address(dsn, _TEMPLATE), services=built)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a server with a migrated template; its folder is open, since root runs it as another user."""
    folder = Path(tempfile.mkdtemp(prefix="well-pg-"))
    folder.chmod(0o755)

    server = _run(start_embedded(folder / "pg"))
    _run(_make_template(server.dsn))
    yield server.dsn
    _run(server.stop())
    shutil.rmtree(folder, ignore_errors=True)


def _run(work: Coroutine[None, None, Result]) -> Result:
    """Run to the end in a thread of its own: the fixture may be asked for from inside a test's loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@pytest.fixture
async def postgres(postgres_server: str) -> AsyncIterator[PostgresFixture]:
    """A database of this test's own."""
    name = f"test_{uuid4().hex}"
    admin = await asyncpg.connect(postgres_server)
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    fixture = PostgresFixture(_address(postgres_server, name))
    yield fixture
    await fixture.close()
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()
