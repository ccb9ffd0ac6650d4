"""Topics made, read and changed on a real broker."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

import pytest

from libs.bus.kafka.topic_plan import plan_topics, wanted_topics
from libs.bus.kafka.topics import open_topics
from libs.contracts.errors import Rejected, Transient

GIVEN_UP_SECONDS: Final = 20
"""Seconds: several times what a call waits for a server that says nothing."""


async def test_what_the_registry_wants_stands_after_one_plan_and_a_second_finds_nothing_to_do(
    kafka: str, topic_prefix: str
) -> None:
    wanted = wanted_topics(topic_prefix, partitions=2, replicas=1)
    async with open_topics(kafka) as topics:
        await topics.carry_out(plan_topics(wanted, []))
        plan = plan_topics(wanted, await topics.standing(topic_prefix), prefix=topic_prefix)
    assert plan.is_empty
    assert set(plan.kept) == {topic.name for topic in wanted}
    assert (plan.refused, plan.unknown) == ((), ())


async def test_a_changed_setting_leaves_the_others_that_were_set_for_the_topic(kafka: str, topic_prefix: str) -> None:
    [wanted, *_] = wanted_topics(topic_prefix, partitions=1, replicas=1)
    odd = replace(wanted, settings=dict(wanted.settings) | {"retention.ms": "60000", "segment.ms": "5000"})
    async with open_topics(kafka) as topics:
        await topics.carry_out(plan_topics([odd], []))
        await topics.carry_out(plan_topics([wanted], await topics.standing(topic_prefix), prefix=topic_prefix))
        [stands] = await topics.standing(topic_prefix)
    assert stands.settings["retention.ms"] == wanted.settings["retention.ms"]
    assert stands.settings["segment.ms"] == "5000"


async def test_a_drained_topic_is_given_more_partitions(kafka: str, topic_prefix: str) -> None:
    [wanted, *_] = wanted_topics(topic_prefix, partitions=3, replicas=1)
    async with open_topics(kafka) as topics:
        await topics.carry_out(plan_topics([replace(wanted, partitions=2)], []))
        plan = plan_topics([wanted], await topics.standing(topic_prefix), prefix=topic_prefix, drained=True)
        await topics.carry_out(plan)
        [stands] = await topics.standing(topic_prefix)
    assert stands.partitions == 3


async def test_a_plan_that_another_operator_was_faster_with_can_be_carried_out_again(
    kafka: str, topic_prefix: str
) -> None:
    [wanted, *_] = wanted_topics(topic_prefix, partitions=1, replicas=1)
    async with open_topics(kafka) as topics:
        await topics.carry_out(plan_topics([wanted], []))
        await topics.carry_out(plan_topics([wanted], [], prefix=topic_prefix))


async def test_more_replicas_than_brokers_are_refused_in_the_words_of_the_broker(kafka: str, topic_prefix: str) -> None:
    [wanted, *_] = wanted_topics(topic_prefix, partitions=1, replicas=99)
    async with open_topics(kafka) as topics:
        with pytest.raises(Rejected, match="replication factor of 99") as refused:
            await topics.carry_out(plan_topics([wanted], [], prefix=topic_prefix))
    assert refused.value.code == "invalid_replication_factor"


async def test_where_nothing_listens_the_answer_is_a_sentence() -> None:
    with pytest.raises(Transient, match=r"No Kafka answers at 127\.0\.0\.1:1"):
        async with open_topics("127.0.0.1:1"):
            pass


async def test_a_server_that_accepts_and_says_nothing_is_given_up_within_seconds() -> None:
    hung = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hung.wait()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    [socket] = server.sockets
    async with asyncio.timeout(GIVEN_UP_SECONDS):
        with pytest.raises(Transient, match="No Kafka answers"):
            async with open_topics(f"127.0.0.1:{socket.getsockname()[1]}"):
                pass
    hung.set()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("address", ["broker:http", "127.0.0.1:99999", "[::1"])
async def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Rejected, match="no address"):
        async with open_topics(address):
            pass
