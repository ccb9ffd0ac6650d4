"""Wires the matcher: adapters into flows, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from libs.bus.port import Subscription
from libs.contracts.events import MatchDecided
from libs.contracts.identity import provider_id_of
from libs.crypto.keyring import Sealer
from libs.database.port import Database
from libs.eventlog.port import EventLog
from libs.runtime.clock import Clock
from libs.runtime.worker import Worker
from services.matcher.adapters.postgres_decisions import PostgresDecisions
from services.matcher.adapters.postgres_records import PostgresRecords
from services.matcher.adapters.postgres_windows import PostgresWindows
from services.matcher.config import MatcherSettings
from services.matcher.flow.decide import Decide
from services.matcher.flow.learn_entities import LearnEntities
from services.matcher.flow.take_postings import TakePostings
from services.matcher.flow.take_sign_offs import TakeSignOffs
from services.matcher.ports import DecisionStore, RecordStore, WindowStore, Workspaces


@dataclass(frozen=True)
class Stores:
    """The matcher's stores, all in one database."""

    records: RecordStore
    decisions: DecisionStore
    windows: WindowStore


@dataclass(frozen=True)
class MatcherService:
    """The matcher, ready to run.

    Attributes:
        subscriptions: The groups that the bus feeds.
        workers: The jobs.
        job: The deciding job itself, for those who want a single batch.
    """

    subscriptions: tuple[Subscription, ...]
    workers: tuple[Worker, ...]
    job: Decide
    _database: Database
    _decisions: DecisionStore

    async def counts(self, workspace: UUID) -> Mapping[str, int]:
        """Bills of a workspace by standing verdict, and under `due` those to be decided; absent means none."""
        async with self._database.transaction(workspace) as tx:
            return await self._decisions.counts(tx)

    async def decision(self, workspace: UUID, record: str) -> MatchDecided | None:
        """The standing decision of a bill, named as `xero/bill/<id>`; None when there is none yet."""
        async with self._database.transaction(workspace) as tx:
            return await self._decisions.latest(tx, provider_id_of(record))


def postgres_stores(sealer: Sealer) -> Stores:
    """The stores over Postgres."""
    return Stores(PostgresRecords(sealer), PostgresDecisions(sealer), PostgresWindows())


def build(
    *,
    database: Database,
    log: EventLog,
    sealer: Sealer,
    clock: Clock,
    workspaces: Workspaces,
    settings: MatcherSettings | None = None,
    stores: Stores | None = None,
) -> MatcherService:
    """Wire the matcher.

    Args:
        database: As the role `well_matcher`.
        log: The log `matcher`.
        sealer: Opens and seals what is kept.
        clock: The one clock.
        workspaces: Which workspaces there are.
        settings: Thresholds and rules.
        stores: Others than Postgres', for tests.
    """
    settings = settings or MatcherSettings()
    stores = stores or postgres_stores(sealer)
    job = Decide(
        database=database,
        log=log,
        clock=clock,
        policy=settings.policy,
        records=stores.records,
        decisions=stores.decisions,
        windows=stores.windows,
        workspaces=workspaces,
        batch_bills=settings.batch_bills,
    )
    subscriptions = (
        LearnEntities(stores.records, stores.decisions, stores.windows).subscription,
        TakeSignOffs(stores.records, stores.decisions).subscription,
        TakePostings(stores.records, stores.decisions).subscription,
    )
    return MatcherService(subscriptions, (job.worker,), job, database, stores.decisions)
