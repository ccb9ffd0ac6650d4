"""The services that take part in deciding, each as a process of its own over Kafka."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event, Semaphore
from typing import Final

from libs.bus.kafka.topic_plan import plan_topics, wanted_topics
from libs.bus.kafka.topics import open_topics
from libs.runtime.collector import collect_rarely
from tests.bench.deciding import DECIDING, Connected, at_work, opened
from tests.support.keys import MemoryKeyring
from well.transport import Cluster

PARTITIONS: Final = 8
"""Of each topic: what a small installation begins with."""

REPLICATED: Final = frozenset({"ingest", "matcher"})

START_SECONDS: Final = 60.0
"""Seconds until a process has joined its groups."""


async def make_topics(cluster: Cluster) -> None:
    """The topics of the registry, in one copy."""
    async with open_topics(cluster.bootstrap) as topics:
        await topics.carry_out(plan_topics(wanted_topics(cluster.prefix, partitions=PARTITIONS, replicas=1), []))


@dataclass(frozen=True)
class _World:
    """What every process is told, and how it is told when."""

    dsn: str
    keyring: MemoryKeyring
    connected: Connected
    cluster: Cluster
    ready: Semaphore
    begin: Event
    over: Event


@contextmanager
def working_apart(
    dsn: str, keyring: MemoryKeyring, connected: Connected, cluster: Cluster, replicas: int
) -> Iterator[tuple[Callable[[], None], Mapping[str, int]]]:
    """Every service, joined to its groups; gives what lets them begin, and the processes by name.

    Those that most of the work is in, `REPLICATED`, run in so many replicas.
    """
    fresh = multiprocessing.get_context("spawn")
    world = _World(dsn, keyring, connected, cluster, fresh.Semaphore(0), fresh.Event(), fresh.Event())
    named = {
        f"{service}-{nth}" if nth else service: service
        for service in DECIDING
        for nth in range(replicas if service in REPLICATED else 1)
    }
    processes = {name: fresh.Process(target=_as_a_process, args=(service, world)) for name, service in named.items()}
    try:
        for process in processes.values():
            process.start()
        for _ in processes:
            if not world.ready.acquire(timeout=START_SECONDS):
                raise TimeoutError("Not every service joined its groups.")
        yield world.begin.set, {name: process.pid or 0 for name, process in processes.items()}
    finally:
        world.over.set()
        world.begin.set()
        for process in processes.values():
            process.join()


def _as_a_process(service: str, world: _World) -> None:
    async def told_to_begin() -> None:
        world.ready.release()
        await asyncio.to_thread(world.begin.wait)

    async def work() -> None:
        async with (
            opened(world.dsn, world.keyring, (service,)) as storage,
            at_work((service,), storage, world.connected, world.cluster, told_to_begin),
        ):
            await asyncio.to_thread(world.over.wait)

    collect_rarely()
    asyncio.run(work())
