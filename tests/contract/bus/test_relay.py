"""The relay: in order, at least once, one at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from libs.bus.kafka.message import Message, row_of
from libs.bus.kafka.relayed import RelayedLog
from libs.bus.kafka.topic_plan import plan_topics, wanted_topics
from libs.bus.kafka.topics import open_topics
from libs.contracts.errors import Transient
from libs.contracts.topics import BY_NAME
from libs.eventlog.port import Position
from tests.contract.bus.echoes import Echo, Killed
from tests.contract.bus.worlds import TOPIC, KafkaWorld, drain, pulled
from tests.support.postgres import PostgresFixture
from tests.support.until import until


class Dying(RelayedLog):
    """Ends its process after the brokers have acknowledged and before it is remembered."""

    async def remember(self, published: Mapping[tuple[str, int], int]) -> None:
        """Never comes to it."""
        assert published
        raise Killed


class Suspended(RelayedLog):
    """Is missed early."""

    def __init__(self, log: str, pool: asyncpg.Pool) -> None:
        super().__init__(log, pool, silent_seconds=0.3)


async def _on_kafka(world: KafkaWorld) -> list[Position]:
    """Where the events of the topic's messages stand, in order within each partition."""
    ends = await world.ends()
    places = []
    async with AIOKafkaConsumer(bootstrap_servers=world.bootstrap) as reading:
        reading.assign([TopicPartition(*place) for place in ends])
        await reading.seek_to_beginning()
        while len(places) < sum(ends.values()):
            message = await reading.getone()
            places.append(row_of(Message(message.key, message.value, message.headers), TOPIC).raw.position)
    return places


async def test_every_event_is_published_once_in_the_order_of_its_bucket(kafka_world: KafkaWorld) -> None:
    world = kafka_world
    await world.publish(*[pulled(world.workspace, bill, version) for version in (1, 2, 3) for bill in range(20)])
    places = await _on_kafka(world)
    assert len(places) == 60
    by_bucket: dict[int, list[int]] = {}
    for place in places:
        by_bucket.setdefault(place.bucket, []).append(place.sequence)
    assert all(sequences == list(range(1, len(sequences) + 1)) for sequences in by_bucket.values())


async def test_a_relay_that_ends_before_it_remembers_sends_again_and_consumers_see_each_event_once(
    kafka_world: KafkaWorld,
) -> None:
    world = kafka_world
    await world.append(*[pulled(world.workspace, bill) for bill in range(30)])
    dying = world.another_relay(log=Dying)
    with pytest.raises(Killed):
        await dying.step()
    await dying.close()
    assert await world.relay.step() == 30
    assert len(await _on_kafka(world)) == 60
    await drain(world.consumer(Echo(), batch_events=7))
    counted = Counter(event.record for event in await world.written())
    assert len(counted) == 30
    assert set(counted.values()) == {1}


async def test_of_two_relays_of_a_log_one_stands_by_until_the_other_lets_go(kafka_world: KafkaWorld) -> None:
    world = kafka_world
    await world.publish(pulled(world.workspace, 1))
    other = world.another_relay()
    await world.append(pulled(world.workspace, 2))
    assert await other.step() is None
    await world.relay.close()
    assert await other.step() == 1
    assert await world.relay.step() is None
    await other.close()
    assert len(await _on_kafka(world)) == 2


async def test_a_relay_that_lost_its_connection_is_none_any_more(
    kafka_world: KafkaWorld, postgres: PostgresFixture
) -> None:
    world = kafka_world
    await world.publish(pulled(world.workspace, 1))
    admin = await postgres.admin()
    await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
    await world.append(pulled(world.workspace, 2))
    with pytest.raises(Transient):
        await world.relay.step()
    other = world.another_relay()
    assert await other.step() == 1
    assert await world.relay.step() is None
    await other.close()


async def test_a_relay_that_is_suspended_is_none_any_more_and_notices_when_it_goes_on(kafka_world: KafkaWorld) -> None:
    world = kafka_world
    await world.append(pulled(world.workspace, 1))
    suspended, other = world.another_relay(log=Suspended), world.another_relay()
    assert await suspended.step() == 1
    await world.append(pulled(world.workspace, 2))

    async def takes_over() -> bool:
        return await other.step() == 1

    await until(takes_over)
    with pytest.raises(Transient):
        await suspended.step()
    assert await suspended.step() is None
    await suspended.close()
    await other.close()
    assert len(await _on_kafka(world)) == 2


async def test_a_missing_topic_is_named_and_once_it_is_made_the_relay_goes_on(kafka_world: KafkaWorld) -> None:
    world = kafka_world
    stray = pulled(world.workspace, 1).model_copy(update={"topic": "match.decided.v1"})
    await world.append(stray, pulled(world.workspace, 2))
    with pytest.raises(Transient, match=r"match\.decided\.v1; `well topics plan`"):
        await world.relay.step()
    async with open_topics(world.bootstrap) as topics:
        missing = wanted_topics(world.prefix, partitions=1, replicas=1, registry=[BY_NAME["match.decided.v1"]])
        await topics.carry_out(plan_topics(missing, []))
    assert await world.relay.step() == 2
