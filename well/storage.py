"""What every process opens first: its Postgres, its keys, its logs; those of an installation, or of one service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from libs.contracts.envelope import Envelope
from libs.contracts.errors import Rejected
from libs.crypto.key_provider import KeyProvider, read_or_make_key
from libs.crypto.keyring import Keyring, Sealers, sealers_of
from libs.crypto.opened import Opened
from libs.crypto.service_secret import read_service_secret, service_secret
from libs.database.postgres import PostgresDatabase, lost_as_transient, open_database, open_pool
from libs.database.roles import RELAY, password_from, role_of, role_password
from libs.database.schemas import SERVICES, is_up_to_date
from libs.eventlog.postgres import PostgresEventLog
from libs.eventlog.reader import PostgresLogReader
from libs.runtime.clock import Clock
from libs.runtime.health import Check
from libs.runtime.worker import Worker
from well.database_url import own_database
from well.home import Installation
from well.key_service import key_provider

WATCH_SECONDS: Final = 0.5
"""Seconds between looks whether the embedded Postgres still runs; a look reads one line of the process table."""


@dataclass(frozen=True)
class Storage:
    """An installation's rows and keys, opened.

    Attributes:
        dsn: The address of its Postgres, with the user that migrates where there is one.
        databases: Each service's database, as its own role; of a service apart, its own alone.
        keyring: Where every seal comes from.
        key_provider: What wraps the keys that are kept here; None where auth is asked for them.
        sealers: The seals of each purpose.
        opened: The events last written or read, shared by all logs and the reader.
        reader: The logs of all services.
        carrying: Connections of the role that carries logs and sees when jobs are due.
        workers: What a process that stays does for it: keeps the embedded Postgres running.
    """

    dsn: str
    databases: Mapping[str, PostgresDatabase]
    keyring: Keyring
    key_provider: KeyProvider | None
    sealers: Sealers
    opened: Opened[Envelope]
    reader: PostgresLogReader
    carrying: asyncpg.Pool
    workers: tuple[Worker, ...]

    @property
    def check(self) -> Check:
        """Whether Postgres answers."""
        return Check("postgres", self.ping, "Postgres does not answer.")

    async def ping(self) -> None:
        """Return when Postgres has answered.

        Raises:
            Transient: It does not.
        """
        with lost_as_transient():
            await self.carrying.execute("SELECT")

    def log(self, service: str) -> PostgresEventLog:
        """A service's event log."""
        return PostgresEventLog(service, self.sealers.payloads, self.opened)


@asynccontextmanager
async def opened_storage(
    installation: Installation, clock: Clock, *, database_url: str | None
) -> AsyncIterator[Storage]:
    """The storage of an installation, migrated, as long as the block lasts.

    Args:
        installation: Where it lies.
        clock: The one clock.
        database_url: A Postgres to use instead of the embedded one; its user may create roles and schemas.

    Raises:
        Rejected: The folder or the key file cannot be used; `key_file` also when a database stands there without one.
        Transient: Postgres does not answer.
    """
    async with AsyncExitStack() as stack:
        key = _key_of(installation)
        workers: tuple[Worker, ...] = ()
        if database_url is None:
            from libs.database.embedded import start_embedded  # its package is not in the image

            server = await start_embedded(installation.postgres)
            stack.push_async_callback(server.stop)
            dsn, role_secret = server.dsn, None
            workers = (Worker("postgres.keep_running", server.keep_running, WATCH_SECONDS),)
        else:
            dsn, role_secret = database_url, key
        if not await is_up_to_date(dsn):
            from libs.database.migrate import migrate  # Alembic takes a second to import, and is rarely needed

            named = ("relay", *SERVICES) if role_secret else ()
            await migrate(dsn, passwords={name: password_from(key, name) for name in named})

        async def database(service: str) -> PostgresDatabase:
            password = password_from(role_secret, service) if role_secret else None
            opened = await open_database(dsn, role=role_of(service), password=password)
            stack.push_async_callback(opened.close)
            return opened

        databases = {service: await database(service) for service in SERVICES}
        provider = key_provider(installation.key_file, installation.vault)
        keyring = _kept(await database("auth"), provider, clock)
        sealers = sealers_of(keyring, clock)
        password = password_from(role_secret, "relay") if role_secret else None
        pool = await open_pool(dsn, role=RELAY, password=password)
        stack.push_async_callback(pool.close)
        opened = Opened[Envelope]()
        reader = PostgresLogReader(pool, sealers.payloads, opened)
        stack.push_async_callback(reader.close)
        yield Storage(dsn, databases, keyring, provider, sealers, opened, reader, pool, workers)


def _key_of(installation: Installation) -> bytes:
    """The installation's key, which is made before its database: a new one would open nothing that stands there."""
    if installation.postgres.exists() and not installation.key_file.exists():
        sentence = (
            f"The key file {installation.key_file} is gone, and nothing in {installation.postgres} opens without it. "
            f"Bring it back from a backup; for a demo, remove {installation.folder}."
        )
        raise Rejected(sentence, code="key_file")
    return read_or_make_key(installation.key_file)


@asynccontextmanager
async def opened_for(
    service: str,
    clock: Clock,
    *,
    database_url: str,
    secret: bytes,
    keyring: Keyring | None = None,
    provider: KeyProvider | None = None,
) -> AsyncIterator[Storage]:
    """The storage of one service, as long as the block lasts. Somebody else migrates it (`well migrate`).

    Args:
        service: Whose.
        clock: The one clock.
        database_url: Where Postgres is; whatever user it names, the service logs in as its own role.
        secret: The service's, from which its password follows.
        keyring: Where its keys come from: auth.
        provider: For auth itself, what the keys it keeps are wrapped with.

    Raises:
        Rejected: `not_migrated`.
        Transient: Postgres does not answer.
    """
    role = role_of(service)
    password = role_password(secret, role)
    if not await is_up_to_date(database_url, user=role, password=password):
        sentence = "The database is not at this version's schemas; run `well migrate`, then start this again."
        raise Rejected(sentence, code="not_migrated")
    async with AsyncExitStack() as stack:

        async def database() -> PostgresDatabase:
            opened = await open_database(database_url, role=role, password=password)
            stack.push_async_callback(opened.close)
            return opened

        if provider is not None:
            keyring = _kept(await database(), provider, clock)
        if keyring is None:
            raise ValueError("a service needs a keyring, or a key provider to keep one with")
        sealers, opened = sealers_of(keyring, clock), Opened[Envelope]()
        pool = await open_pool(database_url, role=role, password=password, acting_as=RELAY)
        stack.push_async_callback(pool.close)
        reader = PostgresLogReader(pool, sealers.payloads, opened)
        stack.push_async_callback(reader.close)
        yield Storage(database_url, {service: await database()}, keyring, provider, sealers, opened, reader, pool, ())


@asynccontextmanager
async def carrying_for(service: str, environment: Mapping[str, str]) -> AsyncIterator[asyncpg.Pool]:
    """The log of one service as the role that carries logs, for a command that is run with the service's variables.

    Raises:
        Rejected: `settings_missing`; `wrong_secret` when they are another service's; or as `opened_for` says.
        Transient: Postgres does not answer.
    """
    key_file, secret_file = environment.get("WELL_KEY_FILE"), environment.get("WELL_SERVICE_SECRET_FILE")
    database_url = own_database(environment)
    if database_url is None or not (key_file or secret_file):
        sentence = (
            f"Run this beside {service}, with its variables: WELL_DATABASE_URL, and WELL_SERVICE_SECRET_FILE "
            "or the installation's WELL_KEY_FILE."
        )
        raise Rejected(sentence, code="settings_missing")
    secret = _secret_from_key(Path(key_file), service) if key_file else read_service_secret(Path(str(secret_file)))
    role = role_of(service)
    password = role_password(secret, role)
    try:
        if not await is_up_to_date(database_url, user=role, password=password):
            raise Rejected("The database is not at this version's schemas; run `well migrate`.", code="not_migrated")
        pool = await open_pool(database_url, role=role, password=password, connections=2, acting_as=RELAY)
    except asyncpg.InvalidAuthorizationSpecificationError:
        sentence = (
            f"Postgres knows {service} by another secret than this one. Run this with the variables of {service}."
        )
        raise Rejected(sentence, code="wrong_secret") from None
    try:
        yield pool
    finally:
        await pool.close()


def _secret_from_key(key_file: Path, service: str) -> bytes:
    if not key_file.is_file():
        raise Rejected(f"There is no key file {key_file}.", code="key_file")
    return service_secret(read_or_make_key(key_file), service)


def _kept(database: PostgresDatabase, provider: KeyProvider, clock: Clock) -> Keyring:
    """The keys as auth keeps them; only a process that keeps them imports auth."""
    from services.auth.adapters.postgres_keys import PostgresKeyStore
    from services.auth.main import build_keyring

    return build_keyring(database=database, store=PostgresKeyStore(), key_provider=provider, clock=clock)
