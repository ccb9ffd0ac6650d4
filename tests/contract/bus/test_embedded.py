"""The contract of a transport: embedded over both forms of the log, and over Kafka."""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import uuid4

import pytest

from libs.bus.parking import ATTEMPTS
from libs.contracts.errors import Stale
from libs.contracts.events import EntityWithdrawn, Parked
from libs.eventlog.port import Consumed, Position
from tests.contract.bus.echoes import Echo, Killed
from tests.contract.bus.worlds import TOPIC, World, drain, pulled
from tests.support.until import until


async def test_events_of_one_key_arrive_in_order(world: World) -> None:
    await world.publish(*[pulled(world.workspace, bill, version) for version in range(1, 6) for bill in range(10)])
    await drain(world.consumer(Echo(), batch_events=7))
    versions: dict[str, list[int]] = {}
    for event in await world.written():
        assert isinstance(event.payload, EntityWithdrawn)
        versions.setdefault(event.record, []).append(event.payload.version)
    assert len(versions) == 10
    assert all(seen == [1, 2, 3, 4, 5] for seen in versions.values())


async def test_events_of_topics_nobody_asked_for_are_passed_over(world: World) -> None:
    wanted = pulled(world.workspace, 1)
    other = wanted.model_copy(update={"topic": "qonto.raw.v1", "id": uuid4()})
    await world.publish(other, wanted)
    echo = Echo()
    await drain(world.consumer(echo))
    assert echo.batches == [[wanted.record]]


async def test_a_process_that_ends_in_a_batch_leaves_nothing_and_the_next_one_does_it_once(world: World) -> None:
    await world.publish(*[pulled(world.workspace, bill) for bill in range(30)])
    first = world.consumer(Echo(dies_at=2), batch_events=10)
    with pytest.raises(Killed):
        await drain(first)
    await drain(world.consumer(Echo(), batch_events=10))
    counted = Counter(event.record for event in await world.written())
    assert len(counted) == 30
    assert set(counted.values()) == {1}


async def test_a_restarted_member_starts_behind_what_the_group_has_done(world: World) -> None:
    await world.publish(*[pulled(world.workspace, bill) for bill in range(5)])
    await drain(world.consumer(Echo()))
    second = Echo()
    await drain(world.consumer(second))
    assert second.batches == []


async def test_replaying_a_batch_changes_nothing(world: World) -> None:
    await world.publish(*[pulled(world.workspace, bill) for bill in range(5)])
    await drain(world.consumer(Echo()))
    piece = await world.reader.read("ingest", {}, topic="xero.raw.v1", limit=100)
    deliveries = [await world.reader.open(raw) for raw in piece.deliveries]
    async with world.target_database.transaction(world.workspace) as tx:
        assert await world.target.unseen(tx, "audit.echo", deliveries) == []
        again = Consumed("audit.echo", tuple(delivery.position for delivery in deliveries))
        assert await world.target.append(tx, [pulled(world.workspace, 99)], consumed=again) == ()
    assert len(await world.written()) == 5


async def test_a_batch_of_which_a_part_was_dealt_with_must_be_read_again(world: World) -> None:
    async with world.target_database.transaction(world.workspace) as tx:
        await world.target.append(tx, [], consumed=Consumed("audit.echo", (Position("ingest", TOPIC, 3, 1),)))
    half_old = Consumed("audit.echo", (Position("ingest", TOPIC, 3, 1), Position("ingest", TOPIC, 4, 1)))
    with pytest.raises(Stale):
        async with world.target_database.transaction(world.workspace) as tx:
            await world.target.append(tx, [], consumed=half_old)


async def test_two_members_of_a_group_deal_with_each_event_once(world: World) -> None:
    await world.publish(*[pulled(world.workspace, bill) for bill in range(60)])
    members = [world.consumer(Echo(), batch_events=5) for _ in range(2)]
    stop = asyncio.Event()

    async def all_written(count: int) -> bool:
        return len(await world.written()) == count

    async def run_all() -> None:
        async with asyncio.TaskGroup() as group:
            for member in members:
                group.create_task(member.run(stop))
            await until(lambda: all_written(60))
            stop.set()

    await asyncio.wait_for(run_all(), timeout=20)
    assert set(Counter(event.record for event in await world.written()).values()) == {1}


async def test_a_poison_event_is_parked_after_limited_tries_and_the_others_go_through(world: World) -> None:
    events = [pulled(world.workspace, bill) for bill in range(8)]
    poison = events[3]
    await world.publish(*events)
    echo = Echo(poison=frozenset({poison.record}))
    await drain(world.consumer(echo))
    tries = [batch for batch in echo.batches if batch == [poison.record]]
    assert len(tries) == ATTEMPTS
    assert {event.record for event in await world.written()} == {event.record for event in events} - {poison.record}
    [parked] = await world.written("xero.raw.v1.dlq")
    assert isinstance(parked.payload, Parked)
    assert parked.payload.event == poison.id
    assert (parked.payload.group, parked.payload.log) == ("audit.echo", "ingest")
    assert parked.payload.error == "ZeroDivisionError"


async def test_a_batch_never_mixes_workspaces_and_none_is_left_out(world: World) -> None:
    other = uuid4()
    events = [pulled(workspace, bill) for bill in range(40) for workspace in (world.workspace, other)]
    await world.publish(*events)
    echo = Echo()
    await drain(world.consumer(echo))
    assert all(len(workspaces) == 1 for workspaces in echo.workspaces)
    assert {event.id for event in events} == {event.cause for event in await world.written()}


async def test_an_event_of_another_workspace_cannot_be_appended(world: World) -> None:
    with pytest.raises(ValueError, match="workspace"):
        async with world.source_database.transaction(world.workspace) as tx:
            await world.source.append(tx, [pulled(uuid4(), 1)])


async def test_what_is_rolled_back_leaves_no_gap(world: World) -> None:
    async def append_and_die() -> None:
        async with world.source_database.transaction(world.workspace) as tx:
            await world.source.append(tx, [pulled(world.workspace, 1)])
            raise Killed

    with pytest.raises(Killed):
        await append_and_die()
    async with world.source_database.transaction(world.workspace) as tx:
        [position] = await world.source.append(tx, [pulled(world.workspace, 1)])
    assert position.sequence == 1


async def test_the_same_event_cannot_stand_in_a_log_twice(world: World) -> None:
    event = pulled(world.workspace, 1)
    await world.publish(event)
    with pytest.raises(Stale):
        await world.publish(event)
