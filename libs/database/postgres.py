"""The one way to a Postgres connection: one transaction, one workspace, one service's role.

The role owns nothing and cannot bypass row-level security; `app.workspace` is set for the transaction only. On a pooled
connection that setting reads as an empty string afterwards, which is why every policy compares through `nullif`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, TypeAlias
from uuid import UUID

import asyncpg

from libs.contracts.errors import Malformed, Transient
from libs.database.bound import refuse_unbound
from libs.database.port import Transaction

POOL_CONNECTIONS: Final = 6
"""Connections a service at most. Seven services of one machine then stay below half of Postgres' default of 100."""

COMMAND_TIMEOUT_SECONDS: Final = 60.0
"""Seconds for one statement. A batch of 500 takes well under one; a minute means a lock that is held too long."""

SILENT_SECONDS: Final = 60.0
"""Seconds that a process may say nothing in the middle of a transaction; a batch computes for a second or two at once.
One that is suspended would hold its rows for as long as it is, and its group would pass them by without a word."""

_FOUND_DARK: Final = {"tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3"}
"""After 60 s the server takes a silent machine for gone, and what its sessions hold is free. By itself Linux asks after
two hours. Source: Postgres, "Connections and Authentication", TCP settings."""

Connection: TypeAlias = asyncpg.Connection

_WORTH_ANOTHER_TRY: Final = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shut down, crashed, starting up, a statement or an idle session ended
    asyncpg.InsufficientResourcesError,  # connections, memory or disk used up: a person frees them, nobody restarts us
    asyncpg.ReadOnlySQLTransactionError,  # the server became a standby; the next connection finds the new primary
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what the driver raises on a connection whose server died under it
    OSError,  # refused, reset, timed out; no socket file while a server restarts; no name while a resolver does
)


_NOT_STORABLE: Final = (
    asyncpg.DataError,  # a NUL or half a surrogate pair in a text, a number out of range
    asyncpg.ProgramLimitExceededError,  # a text too long for its index
)


@contextmanager
def lost_as_transient() -> Iterator[None]:
    """Turns what Postgres raises into the error that says what to do: try again, or park what it cannot hold.

    Raises:
        Transient: The server could not be reached or has no room, or the transaction lost a race.
        Malformed: `not_storable` when a value was handed to it that no column can hold.
    """
    try:
        yield
    except _NOT_STORABLE as error:
        sentence = f"Postgres cannot hold a value of this ({type(error).__name__}); nothing of it was kept."
        raise Malformed(sentence, code="not_storable") from error
    except asyncpg.DiskFullError as error:
        raise Transient("The disk of Postgres is full: make room on it. Nothing of this was kept.") from error
    except _WORTH_ANOTHER_TRY as error:
        raise Transient(f"Postgres could not do it this time ({type(error).__name__}).") from error


class PostgresTransaction:
    """A transaction of one workspace on one connection."""

    def __init__(self, connection: Connection, workspace: UUID) -> None:
        self.connection = connection
        self._workspace = workspace

    @property
    def workspace(self) -> UUID:
        """Whose rows these are."""
        return self._workspace


class PostgresDatabase:
    """Opens transactions as one service's role."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def transaction(self, workspace: UUID) -> AsyncIterator[PostgresTransaction]:
        """A transaction that commits when the block ends and rolls back when it raises.

        Raises:
            Transient: The database could not be reached, or the transaction lost a race and may be tried again.
            Malformed: `not_storable` when a value was handed to it that no column can hold.
        """
        with lost_as_transient():
            async with self._pool.acquire() as connection:
                # One trip to the server for both; `hex` is letters and digits, whatever was passed as a workspace.
                await connection.execute(f"BEGIN; SET LOCAL app.workspace = '{workspace.hex}'")
                try:
                    yield PostgresTransaction(connection, workspace)
                except BaseException:
                    await _roll_back(connection)
                    raise
                if await connection.execute("COMMIT") != "COMMIT":
                    raise RuntimeError("a statement of this transaction failed, nobody raised it, and nothing was kept")

    async def close(self) -> None:
        """Close every connection, waiting for transactions under way."""
        await self._pool.close()


async def open_database(dsn: str, *, role: str, password: str | None = None) -> PostgresDatabase:
    """Open a service's database as its role.

    Raises:
        Rejected: `role_not_bound` when row-level security does not bind the role.
        Transient: The server could not be reached.
    """
    return PostgresDatabase(await open_pool(dsn, role=role, password=password))


async def open_pool(
    dsn: str,
    *,
    role: str,
    password: str | None = None,
    connections: int = POOL_CONNECTIONS,
    acting_as: str | None = None,
    silent_seconds: float = SILENT_SECONDS,
) -> asyncpg.Pool:
    """A pool of connections that log in as `role`, whatever user the address names, and then act as another, if told.

    Raises:
        Rejected: `role_not_bound` when row-level security does not bind the role.
        Transient: The server could not be reached.
    """
    secret: dict[str, Any] = {} if password is None else {"password": password}
    settings = _FOUND_DARK | {"idle_in_transaction_session_timeout": f"{silent_seconds * 1000:.0f}"}
    if acting_as is not None:
        settings["role"] = acting_as
    with lost_as_transient():
        pool = await asyncpg.create_pool(
            dsn,
            user=role,
            **secret,
            min_size=1,
            max_size=connections,
            command_timeout=COMMAND_TIMEOUT_SECONDS,
            reset=_roll_back,
            server_settings=settings,
        )
        try:
            async with pool.acquire() as connection:
                await refuse_unbound(connection)
        except BaseException:
            await pool.close()
            raise
        return pool


async def _roll_back(connection: Connection) -> None:
    """Leave a connection as it was found. One that was lost under the transaction has nothing to take back.

    Nothing else is reset before the next transaction gets the connection, which saves a trip to the server each time:
    roles and settings are only ever set for one transaction, and who listens takes its listener back itself.
    """
    if not connection.is_closed() and connection.is_in_transaction():
        await connection.execute("ROLLBACK")


def connection_of(tx: Transaction) -> Connection:
    """The connection of a Postgres transaction, for a store that speaks SQL.

    Raises:
        TypeError: The transaction is not a Postgres one; the wiring mixed adapters.
    """
    if not isinstance(tx, PostgresTransaction):
        raise TypeError(f"a store in Postgres was given a {type(tx).__name__}")
    return tx.connection
