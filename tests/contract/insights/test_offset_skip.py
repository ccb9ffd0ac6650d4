"""Why insights reads with one actor and ends with an error it did not expect: what Faust does with positions.

The first test shows a defect of Faust (https://github.com/faust-streaming/faust/issues/606). When it fails, an upgrade
has mended that, and `services/insights/adapters/faust_reading.py` may be read again with that in mind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import faust
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import TopicPartition

from libs.bus.kafka.message import Message
from libs.bus.kafka.topic_plan import WantedTopic, plan_topics
from libs.bus.kafka.topics import open_topics
from libs.contracts.errors import Rejected, Transient, WellError
from libs.runtime.clock import SystemClock
from services.insights.adapters.faust_reading import Cluster, FaustReading
from services.insights.ports import Lines
from tests.support.until import until

pytestmark = pytest.mark.slow

BEFORE, AFTER = 5, 4
"""Messages before the one that is held, and behind it."""

SECONDS = 40.0
"""For Faust to start, on a busy machine."""


class Held:
    """Finishes every message but the one that says `held`."""

    def __init__(self) -> None:
        self.finished = 0
        self.holds = asyncio.Event()

    async def take(self, stream: Any) -> None:  # noqa: ANN401 Faust's streams have no useful type
        """What an actor does."""
        async for value in stream:
            if value == b"held":
                self.holds.set()
                await asyncio.Event().wait()
            self.finished += 1


async def _topic(bootstrap: str, name: str) -> None:
    async with open_topics(bootstrap) as topics:
        await topics.carry_out(plan_topics([WantedTopic(name, 1, 1, {})], []))


async def _send(bootstrap: str, topic: str, *values: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for value in values:
            await producer.send_and_wait(topic, value, partition=0)


async def _committed(bootstrap: str, group: str, topic: str) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    place = TopicPartition(topic, 0)
    return int(offsets[place].offset) if place in offsets else 0


@asynccontextmanager
async def _holding(bootstrap: str, topic: str, concurrency: int, folder: Path) -> AsyncIterator[tuple[Held, faust.App]]:
    """An app of Faust that has committed `BEFORE` messages and holds the next one, with `AFTER` behind it."""
    held = Held()
    app = faust.App(
        topic,
        broker=f"kafka://{bootstrap}",
        datadir=folder,
        topic_disable_leader=True,
        web_enabled=False,
        stream_wait_empty=False,
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=10,
        broker_heartbeat_interval=2,
        broker_commit_interval=0.1,
        key_serializer="raw",
        value_serializer="raw",
    )
    app.agent(app.topic(topic, key_type=bytes, value_type=bytes), name="take", concurrency=concurrency)(held.take)
    await app.start()
    try:
        await _send(bootstrap, topic, *[b"early"] * BEFORE)

        async def is_committed() -> bool:
            return await _committed(bootstrap, topic, topic) == BEFORE

        await until(is_committed, deadline_seconds=SECONDS)
        await _send(bootstrap, topic, b"held", *[b"late"] * AFTER)
        async with asyncio.timeout(SECONDS):
            await held.holds.wait()
        yield held, app
    finally:
        await app.stop()


async def test_with_two_actors_faust_commits_past_a_message_that_is_not_finished(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    topic = f"{topic_prefix}skips"
    await _topic(kafka, topic)
    async with _holding(kafka, topic, 2, tmp_path) as (held, app):

        async def others_are_finished() -> bool:
            return held.finished == BEFORE + AFTER

        await until(others_are_finished)
        await app.consumer.commit()
        assert await _committed(kafka, topic, topic) == BEFORE + 1 + AFTER, "Faust has mended issue 606: see above"


async def test_with_one_actor_it_does_not(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    topic = f"{topic_prefix}holds"
    await _topic(kafka, topic)
    async with _holding(kafka, topic, 1, tmp_path) as (held, app):
        await app.consumer.commit()
        assert held.finished == BEFORE
        assert await _committed(kafka, topic, topic) == BEFORE


class Refusing:
    """Refuses some messages for a reason that is neither theirs nor passing, and takes the others."""

    def __init__(self, reason: BaseException | None) -> None:
        self.taken: list[bytes | None] = []
        self._reason = reason

    async def begin(self, lines: Lines) -> None:
        """Nothing is kept."""
        assert len(lines) == 0

    async def take(self, topic: str, message: Message) -> None:
        """Take a message, or refuse it."""
        assert topic == "unexpected"
        if self._reason is not None and message.value == b"held":
            raise self._reason
        self.taken.append(message.value)


@pytest.mark.parametrize(
    ("reason", "ended"),
    [
        (Rejected("This service may not hold keys.", code="not_allowed"), Rejected),
        (asyncio.CancelledError(), Transient),  # something that it waited for was given up
    ],
    ids=["refused", "given-up"],
)
async def test_a_message_that_ends_the_process_is_read_again_and_none_behind_it_before(
    kafka: str, topic_prefix: str, reason: BaseException, ended: type[WellError]
) -> None:
    await _topic(kafka, f"{topic_prefix}unexpected")
    await _send(kafka, f"{topic_prefix}unexpected", b"early", b"held", b"late")
    cluster = Cluster(kafka, topic_prefix, "insights", 1, 1)

    def insights(hears: Refusing) -> FaustReading:
        return FaustReading(
            cluster, topics=("unexpected",), dead_letters="insights.dlq", hears=hears, clock=SystemClock()
        )

    refusing, taking = Refusing(reason), Refusing(None)
    async with asyncio.timeout(SECONDS):
        with pytest.raises(ended):
            await insights(refusing).run(asyncio.Event())
    assert refusing.taken == [b"early"]
    stop = asyncio.Event()
    running = asyncio.create_task(insights(taking).run(stop))

    async def everything_is_taken() -> bool:
        return b"late" in taking.taken

    try:
        await until(everything_is_taken, deadline_seconds=SECONDS)
    finally:
        stop.set()
        await running
    assert taking.taken[-2:] == [b"held", b"late"]
