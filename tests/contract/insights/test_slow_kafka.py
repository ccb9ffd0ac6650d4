"""Started again on a Kafka that is far away, insights passes no message over.

Faust asks where to begin after it has read its table. What it reads meanwhile it throws away, and goes on behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer

from libs.bus.kafka.message import Message
from libs.bus.kafka.topic_plan import WantedTopic, plan_topics
from libs.bus.kafka.topics import open_topics
from libs.runtime.clock import SystemClock
from services.insights.adapters.faust_reading import Cluster, FaustReading
from services.insights.domain.lines import Moment, RecordKey, Step
from services.insights.ports import Lines
from tests.support.kafka_broker import Broker
from tests.support.tcp_proxy import OFFSET_FETCH, proxied
from tests.support.until import until

pytestmark = pytest.mark.slow

STARTS = 2
"""The first one finds no lines, and so begins in another way."""

EACH_TIME = 3_000
"""More than are taken while it asks."""

POSITIONS_SECONDS = 1.2
"""For Kafka's answer to where the group is: Faust looks for messages every second meanwhile."""

DEADLINE_SECONDS = 60.0
"""For a start on a busy machine."""


class Noting:
    """Keeps a line for each message, named by what it says."""

    def __init__(self) -> None:
        self._lines: Lines | None = None

    @property
    def taken(self) -> set[bytes]:
        """What the messages said that have a line."""
        return set() if self._lines is None else {key.record_key for key, _ in self._lines.items()}

    async def begin(self, lines: Lines) -> None:
        """Go on with these."""
        self._lines = lines

    async def take(self, topic: str, message: Message) -> None:
        """Note it."""
        assert topic == "noted"
        assert message.value is not None
        assert self._lines is not None
        self._lines.put(RecordKey(0, UUID(int=1), message.value), (Moment(0, Step.PULLED, 1),))


@asynccontextmanager
async def reading(cluster: Cluster) -> AsyncIterator[Noting]:
    noting, stop = Noting(), asyncio.Event()
    insights = FaustReading(cluster, topics=("noted",), dead_letters="dlq", hears=noting, clock=SystemClock())
    running = asyncio.create_task(insights.run(stop))
    try:
        yield noting
    finally:
        stop.set()
        await running


async def test_what_comes_while_it_is_started_again_is_read(mortal_kafka: Broker, topic_prefix: str) -> None:
    ports = mortal_kafka.ports
    async with open_topics(ports.bootstrap) as topics:
        await topics.carry_out(plan_topics([WantedTopic(f"{topic_prefix}noted", 1, 1, {})], []))
    sent: set[bytes] = set()
    async with (
        proxied(ports.proxy, to_port=ports.behind_proxy) as link,
        AIOKafkaProducer(bootstrap_servers=ports.bootstrap) as producer,
    ):
        link.kept_seconds[OFFSET_FETCH] = POSITIONS_SECONDS
        for start in range(STARTS):
            more = [f"{start}/{nth}".encode() for nth in range(EACH_TIME)]
            for value in more:
                await producer.send(f"{topic_prefix}noted", value, partition=0)
            await producer.flush()
            sent.update(more)
            async with reading(Cluster(ports.proxied_bootstrap, topic_prefix, "insights", 1, 1)) as noting:

                async def has_all(noting: Noting = noting) -> bool:
                    return noting.taken == sent

                await until(has_all, deadline_seconds=DEADLINE_SECONDS)
