"""Auth in processes of its own, which a test may kill: all borrow one token many times at once, print it, and end.

`BORROWER` says what they do, `WELL_CRASH_AT` names where they die. Each prints one line of JSON: how many different
tokens it was lent, and the SHA-256 of one. It imports no stand-in, which would take longer than all the rest.
"""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import os
import sys
from dataclasses import asdict, dataclass
from multiprocessing.synchronize import Barrier
from typing import Final
from uuid import UUID

import httpx
import orjson

from libs.contracts.identity import KeyPurpose, Provider
from libs.crypto.key_provider import MemoryKeyProvider
from libs.crypto.seal import DataKey, WorkspaceKeys
from libs.database.memory import MemoryDatabase
from libs.database.postgres import open_database
from libs.eventlog.postgres import PostgresEventLog
from libs.qonto.endpoints import endpoints_at as qonto_at
from libs.runtime.clock import ShiftedClock
from libs.runtime.crashpoints import arm_from_environment
from libs.xero.endpoints import endpoints_at as xero_at
from services.auth.adapters.authorization_server import RegisteredApp
from services.auth.adapters.memory import EachAsked, MemoryAuthStore
from services.auth.adapters.postgres import PostgresAuthStore
from services.auth.adapters.providers import qonto_server, xero_server
from services.auth.config import AuthSettings
from services.auth.domain.wrapped_key import PURPOSES
from services.auth.main import build, build_keyring
from services.auth.ports import ProviderClient
from tests.support.keys import sealer_over
from tests.support.web import web_client

BORROWERS: Final[dict[Provider, str]] = {"xero": "xero_mcp", "qonto": "pusher"}

APP: Final = RegisteredApp("well-demo", "well-demo-secret", "http://localhost/nobody-comes-back")
"""The app that both stand-ins know."""

ALL_HERE_SECONDS: Final = 60.0
"""Seconds that processes wait for each other before they borrow."""


@dataclass(frozen=True)
class Order:
    """What the borrowers do.

    Attributes:
        dsn: Where auth's rows are.
        standin: Where the provider is.
        workspace: Whose token they borrow, each as often as `tasks` says, all at once.
        ahead_seconds: How far their clock is ahead of the machine's, as the stand-in's is.
    """

    dsn: str
    standin: str
    workspace: str
    provider: Provider
    ahead_seconds: float = 0
    processes: int = 1
    tasks: int = 1

    def environment(self) -> dict[str, str]:
        """The order as a process takes it."""
        return {"BORROWER": orjson.dumps(asdict(self)).decode()}


@dataclass(frozen=True)
class Lent:
    """What one was lent."""

    different: int
    sha256: str


class OneKey:
    """The same key for ever, since the next process must open what this one sealed."""

    async def keys(self, workspace: UUID, purpose: KeyPurpose) -> WorkspaceKeys:
        """It, for whatever purpose."""
        assert purpose in PURPOSES
        key = DataKey(UUID(int=1), bytes(32))
        return WorkspaceKeys(workspace, key, {key.id: key}, bytes(32))


async def _lent(order: Order, all_here: Barrier) -> Lent:
    clock, sealer, provider = ShiftedClock(), sealer_over(OneKey()), MemoryKeyProvider()
    clock.advance(order.ahead_seconds)
    database, store = await open_database(order.dsn, role="well_auth"), PostgresAuthStore(sealer)
    async with web_client() as http:
        auth = build(
            settings=AuthSettings(public_url="http://localhost", home_url="http://localhost"),
            database=database,
            store=store,
            connected=EachAsked(database, store),
            keyring=build_keyring(
                database=MemoryDatabase(), store=MemoryAuthStore(), key_provider=provider, clock=clock
            ),
            key_provider=provider,
            log=PostgresEventLog("auth", sealer),
            clients={order.provider: _client(order, http, clock)},
            clock=clock,
        )
        await asyncio.to_thread(all_here.wait, ALL_HERE_SECONDS)
        borrower, workspace = BORROWERS[order.provider], UUID(order.workspace)
        tokens = await asyncio.gather(
            *(auth.lend(borrower, workspace, order.provider) for _ in range(order.tasks)),
        )
    await database.close()
    secrets = {token.secret for token in tokens}
    return Lent(len(secrets), hashlib.sha256(secrets.pop().encode()).hexdigest())


def _client(order: Order, http: httpx.AsyncClient, clock: ShiftedClock) -> ProviderClient:
    if order.provider == "xero":
        return xero_server(xero_at(order.standin), APP, http, clock)
    return qonto_server(qonto_at(order.standin), APP, http, clock)


def _borrow(order: Order, all_here: Barrier) -> None:
    os.write(sys.stdout.fileno(), orjson.dumps(asdict(asyncio.run(_lent(order, all_here)))) + b"\n")


def main() -> None:
    """Borrow in as many processes as were ordered, which begin together; with one, in this process itself."""
    arm_from_environment()
    order = Order(**orjson.loads(os.environ["BORROWER"]))
    forking = multiprocessing.get_context("fork")  # what all of them import is imported once
    all_here = forking.Barrier(order.processes)
    if order.processes == 1:
        _borrow(order, all_here)
        return
    processes = [forking.Process(target=_borrow, args=(order, all_here)) for _ in range(order.processes)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    sys.exit(max(abs(process.exitcode or 0) for process in processes))


if __name__ == "__main__":
    main()
