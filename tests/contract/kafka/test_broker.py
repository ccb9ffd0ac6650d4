"""What tests count on of the broker they are given: it keeps what it acknowledged, and its link can be cut."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

from libs.bus.kafka.topic_plan import WantedTopic, plan_topics
from libs.bus.kafka.topics import open_topics
from tests.support.kafka_broker import Broker
from tests.support.tcp_proxy import proxied


async def _topic(bootstrap: str) -> str:
    """A new topic of one partition that its broker leads."""
    name = f"t{uuid4().hex[:12]}"
    async with open_topics(bootstrap) as topics:
        await topics.carry_out(plan_topics([WantedTopic(name, 1, 1, {})], []))
    return name


async def _read(bootstrap: str, topic: str) -> bytes | None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        place = TopicPartition(topic, 0)
        consumer.assign([place])
        consumer.seek(place, 0)
        return (await consumer.getone()).value
    finally:
        await consumer.stop()


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_an_acknowledged_record_outlives_the_end_of_the_broker(mortal_kafka: Broker, end: str) -> None:
    address = mortal_kafka.ports.bootstrap
    topic = await _topic(address)
    async with AIOKafkaProducer(bootstrap_servers=address, acks="all") as producer:
        await producer.send_and_wait(topic, b"kept")
    await getattr(mortal_kafka, end)()
    await mortal_kafka.start()
    assert await _read(address, topic) == b"kept"


async def test_nothing_passes_a_cut_link_and_everything_does_when_it_is_mended(mortal_kafka: Broker) -> None:
    ports = mortal_kafka.ports
    topic = await _topic(ports.bootstrap)
    async with (
        proxied(ports.proxy, to_port=ports.behind_proxy) as link,
        AIOKafkaProducer(bootstrap_servers=ports.proxied_bootstrap, acks="all") as producer,
    ):
        await producer.send_and_wait(topic, b"before")
        link.cut()
        sent = await producer.send(topic, b"during")
        done, _ = await asyncio.wait([sent], timeout=1)
        assert not done
        link.mend()
        assert (await asyncio.wait_for(sent, 20)).offset == 1
