"""Wires the console."""

from __future__ import annotations

from dataclasses import dataclass

from libs.bus.port import Subscription
from libs.crypto.keyring import Sealer
from libs.database.port import Database
from libs.eventlog.port import EventLog
from libs.runtime.clock import Clock
from libs.runtime.worker import Worker
from services.console.adapters.postgres import PostgresViewStore
from services.console.flow.show import Show
from services.console.flow.sign_off import SignOff


@dataclass(frozen=True)
class ConsoleService:
    """The console, as the command line sees it."""

    queue: SignOff
    subscriptions: tuple[Subscription, ...]
    workers: tuple[Worker, ...] = ()


def build(*, database: Database, log: EventLog, sealer: Sealer, clock: Clock) -> ConsoleService:
    """Wire the console over Postgres."""
    store = PostgresViewStore(sealer)
    queue = SignOff(database=database, log=log, store=store, clock=clock)
    return ConsoleService(queue=queue, subscriptions=(Show(store).subscription(),))
