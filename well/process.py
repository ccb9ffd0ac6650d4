"""One service as a process: opened, listening, working, and stopped in order.

It stops so: no more events and jobs are taken, what is under way is finished or dropped (`libs/runtime/working.py`),
gRPC and HTTP end, what was opened is closed. All of it takes less than the 30 seconds that orchestrators allow.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import httpx

from libs.auth_client.client import AuthClient
from libs.contracts.errors import Rejected, Transient
from libs.crypto.key_provider import read_or_make_key
from libs.crypto.service_secret import read_service_secret, service_secret
from libs.runtime.clock import Clock
from libs.runtime.health import Check, Health
from libs.runtime.health_grpc import serving_grpc
from libs.runtime.listen import bound_socket, port_of
from libs.runtime.tls import authorities
from libs.runtime.worker import Worker
from libs.runtime.working import working
from services.auth.domain.rights import RIGHTS
from well.apart import Apart
from well.forgetting import forgetting
from well.key_service import key_provider
from well.part import PARTS, Part, part_of_auth
from well.storage import Storage, opened_for
from well.transport import relays_of, stored_positions, transport_of
from well.wiring import Wiring

if TYPE_CHECKING:
    from libs.bus.kafka.relay import Relay
    from services.auth.main import AuthService


@dataclass(frozen=True)
class Running:
    """Where a service listens."""

    service: str
    port: int
    grpc_port: int


@asynccontextmanager
async def running_service(apart: Apart, clock: Clock) -> AsyncIterator[Running]:
    """One service, as long as the block lasts; what is under way when it ends is finished first.

    Raises:
        ExceptionGroup: A consumer or a worker ended with an error that no pause helps; the block is cancelled.
        Rejected: A file, an address or the database cannot be used as it is.
        Transient: Postgres does not answer.
    """
    async with AsyncExitStack() as stack:
        bound = bound_socket(apart.port, apart.host)
        stack.callback(bound.close)
        http = await stack.enter_async_context(
            httpx.AsyncClient(verify=authorities(), timeout=apart.settings.http_timeout_seconds)
        )
        opened = _auth_itself if apart.service == "auth" else _asks_auth
        storage, part, checks = await opened(stack, apart, http, clock)
        if part.close is not None:
            stack.push_async_callback(part.close)
        carriers = transport_of(apart.service, storage, clock, apart.cluster)(part.subscriptions)
        jobs: tuple[Worker | Relay, ...] = (
            *part.workers,
            *relays_of(apart.service, storage, clock, apart.cluster),
        )
        health = Health(
            apart.service,
            checks=(storage.check, *checks),
            carriers=carriers,
            workers=jobs,
            positions=partial(stored_positions, storage),
            budgets=part.budgets,
        )
        await stack.enter_async_context(part.serve(bound, health))
        grpc_port = await stack.enter_async_context(serving_grpc(apart.grpc, health))
        await stack.enter_async_context(working((*carriers, *jobs)))
        yield Running(apart.service, port_of(bound), grpc_port)


@asynccontextmanager
async def auth_beside(apart: Apart, clock: Clock) -> AsyncIterator[AuthService]:
    """Auth, for a command that is run with its variables beside the one that runs; it serves nobody.

    Raises:
        Rejected: As `running_service` says.
        Transient: Postgres does not answer.
    """
    async with (
        AsyncExitStack() as stack,
        httpx.AsyncClient(verify=authorities()) as http,
    ):
        auth, _ = await _auth(stack, apart, http, clock)
        yield auth


async def _auth_itself(
    stack: AsyncExitStack, apart: Apart, http: httpx.AsyncClient, clock: Clock
) -> tuple[Storage, Part, tuple[Check, ...]]:
    auth, storage = await _auth(stack, apart, http, clock)
    return storage, part_of_auth(auth), ()


async def _auth(
    stack: AsyncExitStack, apart: Apart, http: httpx.AsyncClient, clock: Clock
) -> tuple[AuthService, Storage]:
    if not apart.key_file.is_file():
        raise Rejected(f"There is no key file {apart.key_file}; make it with: well secrets", code="key_file")
    master = read_or_make_key(apart.key_file)
    secret, provider = service_secret(master, "auth"), key_provider(apart.key_file, apart.vault)
    storage = await stack.enter_async_context(
        opened_for("auth", clock, database_url=apart.database_url, secret=secret, provider=provider)
    )
    auth = _wiring(apart, storage, http, clock).auth()
    auth.open_to_services({name: service_secret(master, name) for name in RIGHTS}, clock)
    return auth, storage


async def _asks_auth(
    stack: AsyncExitStack, apart: Apart, http: httpx.AsyncClient, clock: Clock
) -> tuple[Storage, Part, tuple[Check, ...]]:
    secret = read_service_secret(apart.secret_file)
    auth = AuthClient(apart.service, secret, apart.auth_url, http, clock)
    storage = await stack.enter_async_context(
        opened_for(apart.service, clock, database_url=apart.database_url, secret=secret, keyring=auth)
    )

    part = PARTS[apart.service](_wiring(apart, storage, http, clock), auth)
    jobs = forgetting(storage, auth.erased, apart.blobs if apart.service == "ingest" else None)
    return storage, replace(part, workers=(*part.workers, *jobs)), (auth_lives(apart, http),)


def auth_lives(apart: Apart, http: httpx.AsyncClient) -> Check:
    """Whether auth answers."""

    async def lives() -> None:
        try:
            (await http.get(f"{apart.auth_url}/livez")).raise_for_status()
        except httpx.HTTPError as error:
            raise Transient(f"Auth does not answer ({type(error).__name__}).") from None

    return Check("auth", lives, "Auth does not answer.")


def _wiring(apart: Apart, storage: Storage, http: httpx.AsyncClient, clock: Clock) -> Wiring:
    return Wiring(apart.settings, storage, clock, http, apart.blobs, url=apart.public_url, mcp_url=apart.xero_mcp_url)
