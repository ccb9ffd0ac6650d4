"""Being a member of a group on Kafka: which partitions are ours now, reading them, and giving them back in time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, cast

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from libs.bus.kafka.intake import Place
from libs.bus.kafka.refusals import kafka_as_transient
from libs.contracts.errors import Rejected, Transient

REBALANCE_SECONDS: Final = 30.0
"""Seconds the group waits for a member to join again; it may finish the batch under way meanwhile."""

SESSION_SECONDS: Final = 10.0
"""Seconds without a heartbeat after which a member is taken for dead and its partitions are given to others."""

ANSWER_SECONDS: Final = 5.0
"""Seconds that a broker may take for one answer outside of fetching; a healthy one takes milliseconds."""

HINTED_SECONDS: Final = 2.0
"""Seconds that a word to Kafka about how far the group is may take; it is only a hint."""

STOP_SECONDS: Final = 5.0
"""Seconds for closing the client. aiokafka's `stop` can hang. Source: aiokafka issue 773."""


class Member(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """One member, between `open` and the end of that block.

    Args:
        group: The group's name on the cluster.
        topics: What it reads, by their names on the cluster.
        bootstrap: Brokers of the cluster.
        give_back: Called before partitions are taken from it; when it returns, they may be another's.

    Attributes:
        given: The partitions that are its own now; None before the group has given it any.
        generation: Rises with every change of `given`.
    """

    def __init__(
        self, group: str, topics: Collection[str], *, bootstrap: str, give_back: Callable[[], Awaitable[None]]
    ) -> None:
        self.given: frozenset[Place] | None = None
        self.generation = 0
        self._group = group
        self._topics = sorted(topics)
        self._bootstrap = bootstrap
        self._give_back = give_back
        self._client: AIOKafkaConsumer | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Join the group, and leave it when the block ends.

        Raises:
            Transient: No broker answers, or a topic is missing.
            Rejected: `too_many_replicas`.
        """
        await self._want_room()
        client = self._client = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            partition_assignment_strategy=(RoundRobinPartitionAssignor,),
            session_timeout_ms=int(SESSION_SECONDS * 1000),
            heartbeat_interval_ms=int(SESSION_SECONDS * 1000 / 4),
            rebalance_timeout_ms=int(REBALANCE_SECONDS * 1000),
        )
        client.subscribe(self._topics, listener=self)
        try:
            with kafka_as_transient():
                await client.start()
            yield
        finally:
            self.given = self._client = None
            with contextlib.suppress(TimeoutError, KafkaError):
                async with asyncio.timeout(STOP_SECONDS):
                    await client.stop()

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:  # noqa: ARG002 it is always all
        """The client's word that partitions go to others when this returns."""
        self.generation += 1
        self.given = None
        await self._give_back()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """The client's word that these are ours from now on; they are paused until `go_to`."""
        self.generation += 1
        self.given = frozenset((place.topic, place.partition) for place in assigned)
        self._ours.pause(*assigned)

    async def fetch(self, limit: int, wait_seconds: float) -> Sequence[ConsumerRecord]:
        """Messages of the partitions it went to, in order within each; waits for the first of them.

        Raises:
            Transient: Kafka could not do it.
            Rejected: `too_many_replicas`: the group has no partition for it.
        """
        if self.given is not None and not self.given:
            raise self._too_many()
        with kafka_as_transient():
            by_place = await self._ours.getmany(timeout_ms=int(wait_seconds * 1000), max_records=limit)
        return [message for messages in by_place.values() for message in messages]

    async def firsts(self) -> Mapping[Place, int]:
        """The offset of the first message that Kafka still has, of each of its partitions.

        Raises:
            Transient: Kafka could not do it.
        """
        with kafka_as_transient():
            async with asyncio.timeout(ANSWER_SECONDS):
                return cast("Mapping[Place, int]", await self._ours.beginning_offsets(self._places()))

    async def ends(self) -> Mapping[Place, int]:
        """The offset of the next message to be written, of each of its partitions; may take half a second.

        The question waits its turn behind a fetch that waits for messages.

        Raises:
            Transient: Kafka could not do it.
        """
        with kafka_as_transient():
            async with asyncio.timeout(ANSWER_SECONDS):
                return cast("Mapping[Place, int]", await self._ours.end_offsets(self._places()))

    def _places(self) -> list[TopicPartition]:
        if self.given is None:
            raise Transient(f"{self._group} was not given partitions yet.")
        return [TopicPartition(*place) for place in self.given]

    def go_to(self, offsets: Mapping[Place, int]) -> None:
        """Fetch from these offsets on.

        Raises:
            Transient: They were taken away meanwhile.
        """
        with kafka_as_transient():
            for place, offset in offsets.items():
                self._ours.seek(TopicPartition(*place), offset)
                self._ours.resume(TopicPartition(*place))

    async def hint(self, offsets: Mapping[Place, int]) -> None:
        """Tell Kafka how far the group is. Nothing depends on it, so that a failure is none."""
        if not offsets:
            return
        with contextlib.suppress(KafkaError, TimeoutError, Transient):
            async with asyncio.timeout(HINTED_SECONDS):
                await self._ours.commit({TopicPartition(*place): offset for place, offset in offsets.items()})

    @property
    def _ours(self) -> AIOKafkaConsumer:
        if self._client is None:
            raise Transient(f"{self._group} has not joined its group on Kafka.")
        return self._client

    async def _want_room(self) -> None:
        """Refuse to join a group that has no partition left: a member without one can hang.

        Source: aiokafka issue 1187.

        Raises:
            Transient: No broker answers, or a topic is missing.
            Rejected: `too_many_replicas`.
        """
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap, request_timeout_ms=int(ANSWER_SECONDS * 1000))
        try:
            with kafka_as_transient():
                async with asyncio.timeout(ANSWER_SECONDS):
                    await admin.start()
                    topics = await admin.describe_topics(self._topics)
                    [answer] = await admin.describe_consumer_groups([self._group])
        finally:
            await admin.close()
        missing = [topic["topic"] for topic in topics if not topic["partitions"]]
        if missing:
            raise Transient(f"Kafka has no {', '.join(missing)}; `well topics apply` makes it.")
        members = sum(len(group[5]) for group in answer.groups)
        if members >= min(len(topic["partitions"]) for topic in topics):
            raise self._too_many()

    def _too_many(self) -> Rejected:
        sentence = (
            f"{self._group} has as many replicas as its topics have partitions; this one would get none and stops."
        )
        return Rejected(sentence, code="too_many_replicas")
