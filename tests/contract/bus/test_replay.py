"""What Kafka has lost is sent again from the log, and whoever waited for it goes on as if nothing had been."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from libs.bus.kafka.consumer import KafkaConsumer
from libs.bus.kafka.relayed import RelayedLog
from libs.bus.kafka.replay import Replay
from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.errors import Rejected
from libs.contracts.events import EntityWithdrawn
from libs.contracts.identity import BUCKETS
from tests.contract.bus.echoes import Echo, Killed
from tests.contract.bus.worlds import START, TOPIC, KafkaWorld, drain, pulled, running
from tests.support.until import until

BILLS = 20


def _versions(world: KafkaWorld, *versions: int) -> list[Envelope]:
    return [pulled(world.workspace, bill, version) for version in versions for bill in range(BILLS)]


def _replay(world: KafkaWorld) -> Replay:
    return Replay(TOPIC, "ingest", world.relay_pool)


async def _ask(world: KafkaWorld) -> int:
    """Ask for all of the topic; returns how many events that is."""
    planned = await _replay(world).plan(range(BUCKETS))
    await _replay(world).ask(planned)
    return sum(each.events for each in planned)


async def _lose(world: KafkaWorld, keeping: int) -> None:
    """Kafka loses all but the last messages of each partition."""
    admin = AIOKafkaAdminClient(bootstrap_servers=world.bootstrap)
    await admin.start()
    before = {place: max(0, end - keeping) for place, end in (await world.ends()).items()}
    await admin.delete_records({TopicPartition(*place): RecordsToDelete(end) for place, end in before.items()})
    await admin.close()


async def _stops(member: KafkaConsumer) -> Rejected:
    """What it stops with."""
    with pytest.raises(Rejected) as refused:
        await asyncio.wait_for(member.run(asyncio.Event()), 30)
    return refused.value


async def _in_order(world: KafkaWorld) -> Mapping[str, list[int]]:
    """By record, the versions that the group has answered, in the order of its answers."""
    found: dict[str, list[int]] = {}
    for event in await world.written():
        assert isinstance(event.payload, EntityWithdrawn)
        found.setdefault(event.record, []).append(event.payload.version)
    return found


def _each_once(versions: Iterable[list[int]], last: int) -> bool:
    return all(seen == list(range(1, last + 1)) for seen in versions)


async def test_a_group_that_stopped_for_want_of_events_goes_on_when_they_were_sent_again(
    kafka_world: KafkaWorld,
) -> None:
    world = kafka_world
    await world.publish(*_versions(world, 1))
    await drain(world.consumer(Echo()))
    await world.publish(*_versions(world, 2, 3))
    await _lose(world, keeping=1)
    said = await _stops(world.kafka_consumer(Echo()))
    assert said.code == "events_missing"
    assert f"`well topics replay {TOPIC} --partition" in said.sentence
    assert "beside ingest" in said.sentence
    assert _each_once((await _in_order(world)).values(), 1)

    assert await _ask(world) == 3 * BILLS
    async with running(world.relay, world.kafka_consumer(Echo(), batch_events=7)):
        await until(lambda: world.are_written(3 * BILLS))
        await world.append(*_versions(world, 4))
        await until(lambda: world.are_written(4 * BILLS))
    assert _each_once((await _in_order(world)).values(), 4)
    assert set(Counter(event.cause for event in await world.written()).values()) == {1}


async def test_a_group_that_begins_after_it_sees_each_record_in_order_whatever_came_meanwhile(
    kafka_world: KafkaWorld,
) -> None:
    world = kafka_world
    await world.publish(*_versions(world, 1, 2))
    await _lose(world, keeping=2)
    await world.append(*_versions(world, 3))
    await _ask(world)
    await world.relay.step()
    await world.append(*_versions(world, 4))
    await _ask(world)
    await world.publish(*_versions(world, 5))
    assert (await _replay(world).left()).buckets == 0
    await drain(world.consumer(Echo(), batch_events=7))
    assert len(await world.written()) == 5 * BILLS
    assert _each_once((await _in_order(world)).values(), 5)


class DiesOnce(RelayedLog):
    """Ends its process after the brokers have acknowledged and before it is remembered; the next one does not."""

    async def remember(self, published: Mapping[tuple[str, int], int]) -> None:
        """Never comes to it."""
        assert published
        raise Killed


async def test_killed_in_the_middle_the_next_relay_goes_on_with_it(kafka_world: KafkaWorld) -> None:
    world = kafka_world
    await world.publish(*_versions(world, 1, 2))
    await _lose(world, keeping=0)
    await _ask(world)
    await world.relay.close()
    dying = world.another_relay(log=DiesOnce)
    with pytest.raises(Killed):
        await dying.step()
    await dying.close()
    await world.publish(*_versions(world, 3))
    await drain(world.consumer(Echo()))
    assert _each_once((await _in_order(world)).values(), 3)
    assert len(await world.written()) == 3 * BILLS


async def test_other_topics_of_the_log_go_on_and_lose_nothing(kafka_world: KafkaWorld) -> None:
    world = kafka_world
    other = "qonto.raw.v1"

    def of_other(version: int) -> list[Envelope]:
        return [event.model_copy(update={"topic": other}) for event in _versions(world, version)]

    await world.publish(*_versions(world, 1), *of_other(1))
    await _ask(world)
    await world.append(*of_other(2), *_versions(world, 2), *of_other(3))
    while await world.relay.step():
        pass
    assert sum((await world.ends(other)).values()) == 3 * BILLS
    assert sum((await world.ends(TOPIC)).values()) == 3 * BILLS, "its first version twice"
    await drain(world.consumer(Echo()))
    assert _each_once((await _in_order(world)).values(), 2)


async def test_what_is_planned_begins_where_it_is_said_and_is_whole_from_there(kafka_world: KafkaWorld) -> None:
    world = kafka_world
    noon = START + timedelta(hours=4)
    later = [_at(event, noon) for event in _versions(world, 2)]
    await world.publish(*_versions(world, 1), *later, *_versions(world, 3))
    await world.append(*_versions(world, 4))
    planned = await _replay(world).plan(range(BUCKETS), since=noon)
    assert sum(each.events for each in planned) == 2 * BILLS, "what follows in a bucket belongs to it; what is new not"
    assert {each.since for each in planned} == {START}
    assert await _replay(world).plan(range(BUCKETS), since=noon + timedelta(seconds=1)) == []
    assert await _replay(world).plan([]) == []


def _at(event: Envelope, instant: datetime) -> Envelope:
    return enveloped(
        event.payload, workspace=event.workspace, record=event.record, cause=event.cause, occurred_at=instant
    )
