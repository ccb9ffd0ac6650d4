"""Members of a group on Kafka: who has which partition, what is missing, what is not ours."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from libs.bus.kafka.consumer import KafkaConsumer
from libs.bus.kafka.pulse import DEAD_SECONDS
from libs.contracts.errors import Rejected
from libs.runtime.clock import ManualClock
from tests.contract.bus.echoes import Echo, Gated
from tests.contract.bus.worlds import KafkaWorld, drain, pulled, running
from tests.support.postgres import PostgresFixture
from tests.support.until import until


async def _shares(world: KafkaWorld, *members: KafkaConsumer) -> list[int]:
    """How many partitions each member has, once all of the topic's are given out."""

    async def all_given() -> bool:
        given = [place for member in members for place in member.partitions or ()]
        return len(given) == len(set(given)) == world.partitions and all(member.next_offsets for member in members)

    await until(all_given)
    return [len(member.partitions or ()) for member in members]


async def test_a_second_member_is_given_its_share_and_each_event_is_dealt_with_once(kafka_world: KafkaWorld) -> None:
    world = kafka_world
    echoes = Echo(), Echo()
    first, second = (world.kafka_consumer(echo, batch_events=5) for echo in echoes)
    async with running(first):
        await world.publish(*[pulled(world.workspace, bill) for bill in range(30)])
        await until(lambda: world.are_written(30))
        async with running(second):
            assert await _shares(world, first, second) == [2, 2]
            await world.publish(*[pulled(world.workspace, bill, 2) for bill in range(60)])
            await until(lambda: world.are_written(90))
    assert set(Counter(event.cause for event in await world.written()).values()) == {1}
    assert all(echo.batches for echo in echoes)


async def test_a_batch_under_way_is_finished_before_its_partitions_are_given_back(kafka_world: KafkaWorld) -> None:
    world = kafka_world
    await world.publish(*[pulled(world.workspace, bill) for bill in range(20)])
    gated, echo = Gated(), Echo()
    first, second = world.kafka_consumer(gated), world.kafka_consumer(echo)
    async with running(first):
        await gated.entered.wait()
        async with running(second):

            async def knows_of_the_other() -> bool:
                return first.partitions is None

            await until(knows_of_the_other)
            assert second.partitions is None
            gated.may_go.set()
            await _shares(world, first, second)
            await until(lambda: world.are_written(20))
    assert sorted(record for batch in gated.batches for record in batch) == sorted(
        {event.record for event in await world.written()}
    )
    assert echo.batches == []


async def test_a_batch_that_takes_too_long_is_dropped_and_done_once_by_whoever_comes_next(
    kafka_world: KafkaWorld,
) -> None:
    world = kafka_world
    await world.publish(*[pulled(world.workspace, bill) for bill in range(20)])
    gated, echo = Gated(), Echo()
    first, second = world.kafka_consumer(gated, finish_seconds=0.1), world.kafka_consumer(echo)
    async with running(first):
        await gated.entered.wait()
        async with running(second):
            await _shares(world, first, second)
            gated.may_go.set()
            await until(lambda: world.are_written(20))
    assert set(Counter(event.record for event in await world.written()).values()) == {1}


async def test_one_replica_more_than_partitions_is_refused(kafka_world: KafkaWorld) -> None:
    world = kafka_world
    members = [world.kafka_consumer(Echo()) for _ in range(world.partitions)]
    async with running(*members):
        assert await _shares(world, *members) == [1] * world.partitions
        with pytest.raises(Rejected, match="as many replicas as its topics have partitions") as refused:
            await world.kafka_consumer(Echo()).run(asyncio.Event())
    assert refused.value.code == "too_many_replicas"


async def test_a_start_reads_on_behind_what_was_stored_beside_the_positions(
    kafka_world: KafkaWorld, postgres: PostgresFixture
) -> None:
    world = kafka_world
    await world.publish(*[pulled(world.workspace, bill) for bill in range(40)])
    await drain(world.consumer(Echo(), batch_events=10))
    admin = await postgres.admin()
    stored = await admin.fetch("SELECT partition, next_offset FROM audit.kafka_offset WHERE topic = $1", world.topic)
    ends = await world.ends()
    assert len(stored) == world.partitions
    assert sum(row["next_offset"] for row in stored) >= 20
    assert all(row["next_offset"] <= ends[world.topic, row["partition"]] for row in stored)


async def test_offsets_that_run_ahead_of_the_positions_pass_over_nothing(
    kafka_world: KafkaWorld, postgres: PostgresFixture
) -> None:
    world = kafka_world
    await world.publish(*[pulled(world.workspace, bill, version) for version in (1, 2, 3) for bill in range(20)])
    admin = await postgres.admin()
    for number in range(world.partitions):
        await admin.execute("INSERT INTO audit.kafka_offset VALUES ('audit.echo', $1, $2, 5)", world.topic, number)
    await drain(world.consumer(Echo()))
    assert len(await world.written()) == 60


async def test_a_message_that_is_no_event_of_ours_is_passed_over_and_counted(kafka_world: KafkaWorld) -> None:
    world = kafka_world
    async with AIOKafkaProducer(bootstrap_servers=world.bootstrap) as stranger:
        await stranger.send_and_wait(world.topic, b"hello", key=b"k", partition=0)
    await world.publish(*[pulled(world.workspace, bill) for bill in range(20)])
    member = world.consumer(Echo())
    await drain(member)
    assert member.consumer.foreign == 1
    assert len(await world.written()) == 20


async def test_a_member_whose_batch_hangs_is_dead_and_one_that_waits_for_events_is_not(kafka_world: KafkaWorld) -> None:
    world = kafka_world
    assert isinstance(world.clock, ManualClock)
    gated = Gated()
    member = world.kafka_consumer(gated)
    async with running(member):
        await _shares(world, member)
        world.clock.advance(DEAD_SECONDS + 1)

        async def lives() -> bool:
            return member.dead is None

        await until(lives)
        await world.publish(pulled(world.workspace, 1))
        await gated.entered.wait()
        assert member.dead is None
        world.clock.advance(DEAD_SECONDS + 1)
        assert member.dead is not None
        gated.may_go.set()
        await until(lives)


async def test_a_member_whose_clock_went_back_goes_on_telling_kafka_how_far_it_is(kafka_world: KafkaWorld) -> None:
    world = kafka_world
    assert isinstance(world.clock, ManualClock)
    member = world.kafka_consumer(Echo())
    await world.publish(*[pulled(world.workspace, bill) for bill in range(20)])
    admin = AIOKafkaAdminClient(bootstrap_servers=world.bootstrap)
    await admin.start()

    async def is_told() -> bool:
        told = await admin.list_consumer_group_offsets(f"{world.prefix}{member.subscription.group}")
        return sum(max(0, place.offset) for place in told.values()) == 20

    async with running(member):
        await until(lambda: world.are_written(20))
        assert not await is_told()
        world.clock.advance(-3600)
        await until(is_told)
    await admin.close()
