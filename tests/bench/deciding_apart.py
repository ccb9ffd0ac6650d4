"""The services that take part in deciding, each as a process of its own over Kafka."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from typing import Final

from libs.bus.kafka.topic_plan import plan_topics, wanted_topics
from libs.bus.kafka.topics import open_topics
from libs.runtime.collector import collect_rarely
from tests.bench.deciding import DECIDING, Connected, at_work, opened
from tests.support.keys import MemoryKeyring
from well.transport import Cluster

PARTITIONS: Final = 8
"""Of each topic: what a small installation begins with."""

START_SECONDS: Final = 60.0
"""Seconds until a process has joined its groups."""


async def make_topics(cluster: Cluster) -> None:
    """The topics of the registry, in one copy."""
    async with open_topics(cluster.bootstrap) as topics:
        await topics.carry_out(plan_topics(wanted_topics(cluster.prefix, partitions=PARTITIONS, replicas=1), []))


@contextmanager
def working_apart(
    dsn: str, keyring: MemoryKeyring, connected: Connected, cluster: Cluster
) -> Iterator[tuple[Callable[[], None], Mapping[str, int]]]:
    """Every service, joined to its groups; gives what lets them begin, and the processes by service."""
    fresh = multiprocessing.get_context("spawn")
    begin, over = fresh.Event(), fresh.Event()
    started = {}
    try:
        for service in DECIDING:
            ready = fresh.Event()
            told = (service, dsn, keyring, connected, cluster)
            started[service] = fresh.Process(target=_as_a_process, args=(*told, ready, begin, over))
            started[service].start()
            if not ready.wait(START_SECONDS):
                raise TimeoutError(f"{service} did not join its groups.")
        yield begin.set, {service: process.pid or 0 for service, process in started.items()}
    finally:
        over.set()
        begin.set()
        for process in started.values():
            process.join()


def _as_a_process(
    service: str,
    dsn: str,
    keyring: MemoryKeyring,
    connected: Connected,
    cluster: Cluster,
    ready: Event,
    begin: Event,
    over: Event,
) -> None:
    async def work() -> None:
        async def told_to_begin() -> None:
            ready.set()
            await asyncio.to_thread(begin.wait)

        async with (
            opened(dsn, keyring, (service,)) as storage,
            at_work((service,), storage, connected, cluster, told_to_begin),
        ):
            await asyncio.to_thread(over.wait)

    collect_rarely()
    asyncio.run(work())
