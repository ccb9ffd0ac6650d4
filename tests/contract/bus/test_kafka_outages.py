"""A broker that goes away and comes back, and a link that is cut: everything arrives, once."""

from __future__ import annotations

from collections import Counter

from aiokafka.admin import AIOKafkaAdminClient

from tests.contract.bus.echoes import Echo
from tests.contract.bus.worlds import KafkaWorld, pulled, running
from tests.support.kafka_broker import Broker
from tests.support.tcp_proxy import proxied
from tests.support.until import until

_BACK_SECONDS = 60.0
"""Seconds until a group has found together again after an outage, on a busy machine."""


async def _all_arrive_once(world: KafkaWorld, count: int) -> None:
    await until(lambda: world.are_written(count), deadline_seconds=_BACK_SECONDS)
    assert set(Counter(event.cause for event in await world.written()).values()) == {1}
    assert len(await world.written()) == count


async def test_a_broker_that_was_killed_and_came_back_has_lost_and_repeated_nothing(
    mortal_world: KafkaWorld, mortal_kafka: Broker
) -> None:
    world = mortal_world
    async with running(world.relay, world.kafka_consumer(Echo(), batch_events=7)):
        await world.append(*[pulled(world.workspace, bill) for bill in range(40)])
        await until(lambda: world.are_written(5))
        await mortal_kafka.kill()
        await world.append(*[pulled(world.workspace, bill, 2) for bill in range(40)])
        await mortal_kafka.start()
        await _all_arrive_once(world, 80)


async def test_a_link_that_is_cut_until_the_group_gives_its_member_up_loses_and_repeats_nothing(
    mortal_world: KafkaWorld, mortal_kafka: Broker
) -> None:
    world, ports = mortal_world, mortal_kafka.ports
    relay = world.another_relay(bootstrap=ports.proxied_bootstrap)
    member = world.kafka_consumer(Echo(), batch_events=7, bootstrap=ports.proxied_bootstrap)
    async with proxied(ports.proxy, to_port=ports.behind_proxy) as link, running(relay, member):
        await world.append(*[pulled(world.workspace, bill) for bill in range(40)])
        await until(lambda: world.are_written(40))
        link.cut()
        await world.append(*[pulled(world.workspace, bill, 2) for bill in range(40)])

        async def is_given_up() -> bool:
            admin = AIOKafkaAdminClient(bootstrap_servers=ports.bootstrap)
            await admin.start()
            [answer] = await admin.describe_consumer_groups([f"{world.prefix}audit.echo"])
            await admin.close()
            return not answer.groups[0][5]

        await until(is_given_up, deadline_seconds=_BACK_SECONDS)
        assert len(await world.written()) == 40
        link.mend()
        await _all_arrive_once(world, 80)
