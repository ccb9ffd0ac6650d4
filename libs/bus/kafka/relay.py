"""The relay: publishes the log of one service to Kafka, in order and at least once.

A round:

1. Read what is behind the last published event of each bucket.
2. Send it: one batch at a time to a partition, all partitions at once, and await what the brokers acknowledge.
3. Remember, for each bucket, up to where everything was acknowledged.

Killed between 2 and 3, it sends the same again, and consumers drop what they have seen. Why no consumer ever sees a
gap: whoever is the relay continues from what was acknowledged, in order, and sends a batch to a partition only when the
one before it was acknowledged; so whatever arrives late, or twice, follows directly on something that was there before.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaProducer

from libs.bus.dealing import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS
from libs.bus.kafka.message import LogRow, message_of, partition_of
from libs.bus.kafka.refusals import kafka_as_transient
from libs.bus.kafka.relayed import RelayedLog
from libs.contracts.errors import Transient
from libs.eventlog.port import LogReader
from libs.runtime.clock import Clock

ROUND_EVENTS: Final = 5_000
"""Events a round, about 5 MB. A batch for each partition is full at that, and what is sent twice after a kill is no
more than consumers drop in a fraction of a second."""

BATCH_BYTES: Final = 256 * 1024
"""Bytes of a batch before compression, far below the megabyte a broker takes. On 2 cores batches of this size carried
253,000 events of 0.7 kB a second, and batches of 16 kB a twentieth of that."""

ACKNOWLEDGED_SECONDS: Final = 40.0
"""Seconds until a batch is given up, said, and sent again by a new producer: a link that is cut for 20 s, or a broker
that restarts, is outlasted by the producer itself. A request under way at that time may take as long again. An
idempotent producer of aiokafka 0.14 never gives up, and nobody would hear of it; ours may write a batch twice instead,
which readers bear anyway."""

METADATA_SECONDS: Final = 5.0
"""Seconds for finding out how many partitions a topic has; a missing topic is said after this, not after 40 s."""

STOP_SECONDS: Final = 5.0
"""Seconds for closing a producer. A client that cannot reach its broker may wait for ever."""

IDLE_SECONDS: Final = 1.0
"""Seconds to wait for growth before looking anyway, should a notice have been lost."""

STANDBY_SECONDS: Final = 5.0
"""Seconds between tries to become the relay while another process is. So long a log may stand still after one died."""


class Relay:
    """Publishes one log while it holds the log's lock; in every replica of a service, of which one holds it.

    Args:
        log: What is published.
        reader: Tells when a log has grown.
        bootstrap: Brokers of the cluster.
        prefix: What our topics begin with there.
        clock: For pauses.
        acknowledged_seconds: How long the brokers may take to acknowledge a batch.

    Attributes:
        name: For health: `<log>.relay`.
        rounds: None: it goes round no workspaces.
        behind: Events it has read and not published.
        failures: Rounds that failed in a row.
        last_sentence: Why the last round failed; None when it went well.
    """

    def __init__(
        self,
        log: RelayedLog,
        *,
        reader: LogReader,
        bootstrap: str,
        prefix: str,
        clock: Clock,
        acknowledged_seconds: float = ACKNOWLEDGED_SECONDS,
    ) -> None:
        self.name = f"{log.name}.relay"
        self.rounds = None
        self.behind = 0
        self.failures = 0
        self.last_sentence: str | None = None
        self._log = log
        self._reader = reader
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._clock = clock
        self._acknowledged_seconds = acknowledged_seconds
        self._producer: AIOKafkaProducer | None = None
        self._logger = structlog.get_logger().bind(log=log.name)

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop` is set. Nothing that Kafka or Postgres does ends it: it says so and tries again."""
        try:
            while not stop.is_set():
                grown = {self._log.name: self._reader.growth(self._log.name)}
                try:
                    published = await self.step()
                    if published is None:
                        await _first_of(stop.wait(), self._clock.sleep(STANDBY_SECONDS))
                    elif not published:
                        await _first_of(stop.wait(), self._reader.wait(grown, IDLE_SECONDS))
                except Transient as error:
                    await self._pause_after(error, stop)
                else:
                    self.failures, self.last_sentence = 0, None
        finally:
            await self.close()

    async def step(self) -> int | None:
        """One round; returns how many events were published, or None while another process is the relay.

        Raises:
            Transient: Kafka or Postgres could not do it; what was acknowledged is remembered, the rest is sent again.
        """
        if not await self._log.hold():
            return None
        events = await self._log.read(ROUND_EVENTS)
        self.behind = len(events)
        if not events:
            return 0
        acknowledged, failure = await self._send(events)
        await self._log.remember(_through(events, acknowledged))
        self.behind -= len(acknowledged)
        if failure is not None:
            await self._drop_producer()
            raise failure
        return len(events)

    async def close(self) -> None:
        """Give the log's lock and the producer back."""
        await self._drop_producer()
        await self._log.release()

    async def _send(self, events: Sequence[LogRow]) -> tuple[set[int], Transient | None]:
        """Send to all partitions at once; returns which events, by place, were acknowledged, and a failure."""
        acknowledged: set[int] = set()
        try:
            producer = await self._started()
            counts = {
                topic: await self._partitions(producer, topic)
                for topic in {event.raw.position.topic for event in events}
            }
        except Transient as error:
            return acknowledged, error
        by_partition: dict[tuple[str, int], list[int]] = {}
        for nth, event in enumerate(events):
            topic, bucket = event.raw.position.topic, event.raw.position.bucket
            by_partition.setdefault((topic, partition_of(bucket, counts[topic])), []).append(nth)

        async def send_to(topic: str, partition: int, places: Sequence[int]) -> Transient | None:
            try:
                for batch, sent in _batches(producer, events, places):
                    with kafka_as_transient():
                        await (await producer.send_batch(batch, self._prefix + topic, partition=partition))
                    acknowledged.update(sent)
            except Transient as error:
                return error
            return None

        failures = await asyncio.gather(*(send_to(*place, places) for place, places in by_partition.items()))
        return acknowledged, next(filter(None, failures), None)

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                client_id=f"well-relay-{self._log.name}",
                acks="all",
                compression_type="zstd",
                linger_ms=0,
                max_batch_size=BATCH_BYTES,
                request_timeout_ms=int(self._acknowledged_seconds * 1000),
            )
            self._producer = producer
            try:
                with kafka_as_transient():
                    await producer.start()
            except BaseException:
                await self._drop_producer()
                raise
        return self._producer

    async def _partitions(self, producer: AIOKafkaProducer, topic: str) -> int:
        try:
            with kafka_as_transient():
                async with asyncio.timeout(METADATA_SECONDS):
                    return len(await producer.partitions_for(self._prefix + topic))
        except Transient as error:
            sentence = (
                f"Kafka does not tell of the topic {self._prefix + topic}; `well topics plan` shows what is missing."
            )
            raise Transient(sentence) from error

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await producer.stop()

    async def _pause_after(self, error: Transient, stop: asyncio.Event) -> None:
        self.failures += 1
        self.last_sentence = error.sentence
        self._logger.warning("relay.failed", why=error.sentence, failures=self.failures)
        pause = min(FIRST_PAUSE_SECONDS * 2 ** min(self.failures - 1, 16), LONGEST_PAUSE_SECONDS)
        await _first_of(stop.wait(), self._clock.sleep(pause))


def _batches(
    producer: AIOKafkaProducer, events: Sequence[LogRow], places: Iterable[int]
) -> Iterator[tuple[Any, list[int]]]:
    """Full batches one after the other, each with the places of its events; made when they are asked for."""
    batch = producer.create_batch()
    sent: list[int] = []
    for nth in places:
        message = message_of(events[nth])
        fields: Mapping[str, Any] = {"timestamp": None, "key": message.key, "value": message.value}
        if batch.append(**fields, headers=list(message.headers)) is None:
            yield batch, sent
            batch, sent = producer.create_batch(), []
            batch.append(**fields, headers=list(message.headers))
        sent.append(nth)
    yield batch, sent


def _through(events: Sequence[LogRow], acknowledged: set[int]) -> dict[tuple[str, int], int]:
    """The last published sequence by topic and bucket; behind the first event of a bucket that was not, none counts."""
    through: dict[tuple[str, int], int] = {}
    ended: set[int] = set()
    for nth, event in enumerate(events):
        place = event.raw.position
        if nth not in acknowledged:
            ended.add(place.bucket)
        elif place.bucket not in ended:
            through[place.topic, place.bucket] = place.sequence
    return through


async def _first_of(*waits: Awaitable[object]) -> None:
    """Wait for whichever is first, and let go of the others."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        await task
