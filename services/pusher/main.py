"""Wiring: what the pusher is made of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import asyncpg

from libs.blobs.port import BlobStore
from libs.bus.port import Subscription
from libs.crypto.keyring import Sealer
from libs.database.port import Database
from libs.eventlog.port import EventLog
from libs.qonto.client import QontoClient
from libs.runtime.clock import Clock
from libs.runtime.rounds import Due, Rounds
from libs.runtime.worker import Worker
from services.pusher.adapters.postgres import PostgresStore
from services.pusher.adapters.postgres_due import postings_due
from services.pusher.adapters.qonto_http import QontoOverHttp
from services.pusher.config import PusherConfig
from services.pusher.domain.posting import Posting, State
from services.pusher.flow.intend import Intend
from services.pusher.flow.look import IN_DOUBT
from services.pusher.flow.read_back import ReadBackJob
from services.pusher.flow.submit import Submit
from services.pusher.ports import Qonto, Store, TokenLender, Workspaces


@dataclass(frozen=True)
class PusherService:
    """The pusher, ready to run.

    Attributes:
        subscriptions: What it hears.
        workers: What it does.
    """

    subscriptions: tuple[Subscription, ...]
    workers: tuple[Worker, ...]
    _database: Database
    _store: Store

    async def counts(self, workspace: UUID) -> Mapping[str, int]:
        """Postings by state; `waiting` counts bills to be posted that no posting was made of yet."""
        async with self._database.transaction(workspace) as tx:
            return {state.value: count for state, count in (await self._store.counts(tx)).items()}

    async def posting(self, workspace: UUID, record: str) -> Posting | None:
        """The newest posting of a bill, if there is one."""
        async with self._database.transaction(workspace) as tx:
            return next(reversed(await self._store.hold_postings(tx, [record])), None)


def build(
    *,
    database: Database,
    log: EventLog,
    sealer: Sealer,
    clock: Clock,
    blobs: BlobStore,
    client: QontoClient,
    lender: TokenLender,
    workspaces: Workspaces,
    carrying: asyncpg.Pool,
    config: PusherConfig | None = None,
) -> PusherService:
    """The pusher over Postgres and Qonto's API. What it is given is closed by its owner.

    `carrying` are connections of the role that sees when jobs are due.
    """
    return assemble(
        database=database,
        log=log,
        store=PostgresStore(sealer),
        qonto=QontoOverHttp(client, lender),
        clock=clock,
        blobs=blobs,
        workspaces=workspaces,
        due=lambda states: postings_due(carrying, states),
        config=config or PusherConfig(),
    )


def assemble(
    *,
    database: Database,
    log: EventLog,
    store: Store,
    qonto: Qonto,
    clock: Clock,
    blobs: BlobStore,
    workspaces: Workspaces,
    due: Callable[[Collection[State]], Due],
    config: PusherConfig,
) -> PusherService:
    """The pusher over any adapters. `due` tells where there are postings in some states that are due."""
    connected = partial(workspaces.connected, "qonto")
    submitting = Rounds("pusher.submit", connected, due(IN_DOUBT | {State.INTENDED}), clock)
    reading = Rounds("pusher.read_back", connected, due({State.SETTLED}), clock)
    submit = Submit(
        database=database,
        log=log,
        store=store,
        qonto=qonto,
        blobs=blobs,
        rounds=submitting,
        clock=clock,
        rule=config.retry,
    )
    read_back = ReadBackJob(
        database=database,
        log=log,
        store=store,
        qonto=qonto,
        rounds=reading,
        clock=clock,
        rule=config.reading,
    )
    return PusherService(
        subscriptions=(Intend(store, clock).subscription(),),
        workers=(
            Worker(submitting.name, submit.step, config.idle_seconds, submitting),
            Worker(reading.name, read_back.step, config.idle_seconds, reading),
        ),
        _database=database,
        _store=store,
    )
