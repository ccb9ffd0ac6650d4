"""What topics say, as it comes: for a person who looks. It belongs to no group and leaves no trace on the cluster."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition

from libs.bus.kafka.message import LogRow, Message, row_of
from libs.contracts.errors import Malformed, Transient

_WAIT_MILLISECONDS: Final = 200
"""Milliseconds that a broker may wait for news: short enough that Ctrl-C feels immediate."""

_BATCH: Final = 500
"""Messages at a time, so that a long topic is shown as it is read and not held in memory."""


async def tailed(
    bootstrap: str, topics: Mapping[str, int], *, prefix: str = "", from_start: bool = False, follow: bool = True
) -> AsyncIterator[LogRow | Malformed]:
    """The events of topics, in order within each partition.

    Args:
        bootstrap: The brokers, `host:port` with commas between.
        topics: Names on the cluster, which begin with the prefix, and how many partitions each has.
        prefix: What is taken off them.
        from_start: Whether to begin with the oldest event that is kept, instead of with the next one.
        follow: Whether to wait for more at the end, instead of stopping at what was the end when this began.

    Yields:
        Each event, still sealed; or why a message could not be read as one.

    Raises:
        Transient: The cluster does not answer.
    """
    places = [TopicPartition(name, partition) for name, count in topics.items() for partition in range(count)]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        await consumer.start()
        consumer.assign(places)
        await (consumer.seek_to_beginning if from_start else consumer.seek_to_end)(*places)
        ends = {} if follow else await consumer.end_offsets(places)
        while follow or [place for place, end in ends.items() if await consumer.position(place) < end]:
            told = await consumer.getmany(timeout_ms=_WAIT_MILLISECONDS, max_records=_BATCH)
            for place, records in told.items():
                for record in records:
                    if follow or record.offset < ends[place]:
                        yield _read(record, place.topic.removeprefix(prefix))
    except KafkaError as error:
        raise Transient(f"Kafka does not answer ({type(error).__name__}).") from error
    finally:
        await consumer.stop()


def _read(record: ConsumerRecord, topic: str) -> LogRow | Malformed:
    try:
        return row_of(Message(record.key, record.value, record.headers), topic)
    except Malformed as error:
        return error
