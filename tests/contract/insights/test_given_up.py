"""Insights ends, to be started again, where going on would make its figures too low or let them stand still."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import TopicPartition

from libs.bus.kafka.message import Message
from libs.bus.kafka.topic_plan import WantedTopic, plan_topics
from libs.bus.kafka.topics import open_topics
from libs.contracts.errors import Transient
from libs.runtime.clock import Clock, ShiftedClock, SystemClock
from services.insights.adapters.faust_reading import DEAD_SECONDS, Cluster, FaustReading
from services.insights.domain.lines import MOMENTS_MAX, Moment, RecordKey, Step
from services.insights.ports import Hears, Lines

pytestmark = pytest.mark.slow

SECONDS = 40.0
"""For Faust to start, on a busy machine."""


class Growing:
    """Keeps a line for each message: a long one for the one that says `long`, else a short one."""

    def __init__(self) -> None:
        self._lines: Lines | None = None

    async def begin(self, lines: Lines) -> None:
        """Go on with these."""
        self._lines = lines

    async def take(self, topic: str, message: Message) -> None:
        """Keep its line."""
        assert topic == "grown"
        assert message.value is not None
        assert self._lines is not None
        moments = MOMENTS_MAX if message.value == b"long" else 1
        line = tuple(Moment(nth, Step.PULLED, nth) for nth in range(moments))
        self._lines.put(RecordKey(0, UUID(int=1), message.value), line)


class Hanging:
    """Waits for ever with the first message."""

    def __init__(self) -> None:
        self.hangs = asyncio.Event()

    async def begin(self, lines: Lines) -> None:
        """Nothing is kept."""
        assert len(lines) == 0

    async def take(self, topic: str, message: Message) -> None:
        """Wait."""
        assert (topic, message.value) == ("grown", b"short")
        self.hangs.set()
        await asyncio.Event().wait()


async def _topics(kafka: str, prefix: str) -> None:
    wanted = [
        WantedTopic(f"{prefix}grown", 1, 1, {}),
        WantedTopic(f"{prefix}insights-lines-changelog", 1, 1, {"max.message.bytes": "1000"}),
    ]
    async with open_topics(kafka) as topics:
        await topics.carry_out(plan_topics(wanted, []))


async def _send(kafka: str, prefix: str, *values: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        for value in values:
            await producer.send_and_wait(f"{prefix}grown", value, partition=0)


async def _committed(kafka: str, prefix: str) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(f"{prefix}insights")
    finally:
        await admin.close()
    place = TopicPartition(f"{prefix}grown", 0)
    return int(offsets[place].offset) if place in offsets else 0


def _reading(kafka: str, prefix: str, hears: Hears, clock: Clock) -> FaustReading:
    return FaustReading(
        Cluster(kafka, prefix, "insights", 1, 1), topics=("grown",), dead_letters="dlq", hears=hears, clock=clock
    )


async def test_a_change_that_kafka_does_not_keep_ends_it_and_its_message_comes_again(
    kafka: str, topic_prefix: str
) -> None:
    await _topics(kafka, topic_prefix)
    await _send(kafka, topic_prefix, b"short", b"long", b"late")
    for _ in range(2):
        async with asyncio.timeout(SECONDS):
            with pytest.raises(Transient, match="did not keep"):
                await _reading(kafka, topic_prefix, Growing(), SystemClock()).run(asyncio.Event())
        assert await _committed(kafka, topic_prefix) < 2  # what was in one batch with it is lost as well


async def test_one_that_takes_nothing_for_two_minutes_ends(kafka: str, topic_prefix: str) -> None:
    await _topics(kafka, topic_prefix)
    await _send(kafka, topic_prefix, b"short")
    hanging, clock = Hanging(), ShiftedClock()
    reading = _reading(kafka, topic_prefix, hanging, clock)
    running = asyncio.create_task(reading.run(asyncio.Event()))
    async with asyncio.timeout(SECONDS):
        await hanging.hangs.wait()
        assert reading.dead is None
        clock.advance(DEAD_SECONDS)
        with pytest.raises(Transient, match="none was taken"):
            await running
