"""The topics of a cluster, through its admin interface."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from libs.bus.kafka.topic_plan import Change, StandingTopic, TopicPlan, WantedTopic, is_carried_out
from libs.contracts.errors import Rejected, Transient

ANSWER_SECONDS: Final = 5.0
"""Seconds that a broker may take for one answer: a person waits for it, and a healthy one takes milliseconds."""

_OPEN_SECONDS: Final = 8.0
"""Seconds for the first contact: one answer, and a little for finding which versions the broker speaks."""

TOLD_SECONDS: Final = 10.0
"""Seconds until every broker tells of a change; they learn of it from the controller, within about a second."""

_LOOK_SECONDS: Final = 0.1
"""Seconds between looks for it."""

_SET_FOR_THE_TOPIC: Final = 1
"""How Kafka marks a setting that somebody set for this topic. Source: KIP-226, `ConfigSource.TOPIC_CONFIG`."""

_EXISTS: Final = 36
"""Kafka's TOPIC_ALREADY_EXISTS: somebody else made it meanwhile. Source: Kafka protocol guide, error codes."""


class KafkaTopics:
    """What a cluster has, and how it is brought to what it should have."""

    def __init__(self, admin: AIOKafkaAdminClient) -> None:
        self._admin = admin

    async def standing(self, prefix: str = "") -> list[StandingTopic]:
        """Every topic whose name begins so, but Kafka's own.

        Raises:
            Transient: The cluster does not answer.
            Rejected: It refuses to tell.
        """
        with _in_our_words():
            topics = [
                topic
                for topic in await self._admin.describe_topics()
                if topic["topic"].startswith(prefix) and not topic["is_internal"]
            ]
            if not topics:
                return []
            resources = [ConfigResource(ConfigResourceType.TOPIC, topic["topic"]) for topic in topics]
            answers = await self._admin.describe_configs(resources)
            settings = {}
            for error_code, _, _, name, entries in (resource for answer in answers for resource in answer.resources):
                _raise_for(error_code, None)
                settings[name] = entries
        return [
            StandingTopic(
                topic["topic"],
                len(topic["partitions"]),
                len(topic["partitions"][0]["replicas"]),
                {entry[0]: entry[1] for entry in settings[topic["topic"]]},
                {entry[0]: entry[1] for entry in settings[topic["topic"]] if entry[3] == _SET_FOR_THE_TOPIC},
            )
            for topic in topics
        ]

    async def carry_out(self, plan: TopicPlan) -> None:
        """Create and change what the plan says, and return when the cluster tells of it.

        It may be carried out again after it was stopped half-way.

        Raises:
            Transient: The cluster does not answer, or does not tell of it within `TOLD_SECONDS`.
            Rejected: It refuses, in its own words; what came before stays done.
        """
        with _in_our_words():
            await self._create(plan.create)
            changed = sorted({change.topic for change in plan.change})
            for name in changed:
                [stands] = [topic for topic in await self.standing(name) if topic.name == name]
                await self._change(stands, [change for change in plan.change if change.topic == name])
            try:
                async with asyncio.timeout(TOLD_SECONDS):
                    while not is_carried_out(plan, await self.standing()):  # noqa: ASYNC110 a cluster rings no bell
                        await asyncio.sleep(_LOOK_SECONDS)
            except TimeoutError:
                raise Transient("Kafka took the changes and does not show them yet; look again.") from None

    async def _create(self, topics: Sequence[WantedTopic]) -> None:
        if not topics:
            return
        new = [
            NewTopic(topic.name, topic.partitions, topic.replicas, topic_configs=dict(topic.settings))
            for topic in topics
        ]
        answer = await self._admin.create_topics(new)
        for _, error_code, message in answer.topic_errors:
            if error_code != _EXISTS:
                _raise_for(error_code, message)

    async def _change(self, stands: StandingTopic, changes: Sequence[Change]) -> None:
        """Set what differs and say again what was set before: Kafka forgets what this request leaves out."""
        settings = {change.what: change.then for change in changes if change.what != "partitions"}
        if settings:
            told = dict(stands.own_settings) | settings
            answers = await self._admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, stands.name, told)])
            for error_code, message, *_ in (resource for answer in answers for resource in answer.resources):
                _raise_for(error_code, message)
        for change in changes:
            if change.what == "partitions":
                await self._admin.create_partitions({stands.name: NewPartitions(int(change.then))})


@asynccontextmanager
async def open_topics(bootstrap: str) -> AsyncIterator[KafkaTopics]:
    """The topics of the cluster behind these addresses, `host:port` with commas between.

    Raises:
        Transient: Nothing that speaks Kafka answers there within a few seconds.
        Rejected: `kafka_address`: these are no addresses.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=int(ANSWER_SECONDS * 1000))
    try:
        try:
            async with asyncio.timeout(_OPEN_SECONDS):
                await admin.start()
        except (ValueError, OverflowError) as error:
            raise Rejected(
                f"{bootstrap!r} is no address of a broker; host:port is one.", code="kafka_address"
            ) from error
        except (KafkaError, TimeoutError, OSError) as error:
            raise Transient(f"No Kafka answers at {bootstrap}. Is the address right, and does it run?") from error
        yield KafkaTopics(admin)
    finally:
        await admin.close()


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        if error.retriable:
            raise Transient(f"Kafka could not do it this time: {type(error).__name__}.") from error
        raise Rejected(f"Kafka refuses: {error}", code=_code_of(error)) from error
    except TimeoutError as error:
        raise Transient(f"Kafka did not answer within {ANSWER_SECONDS:.0f} s.") from error


def _code_of(error: KafkaError) -> str:
    return str(getattr(error, "message", "")).lower() or "kafka"


def _raise_for(error_code: int, message: str | None) -> None:
    """Raise Kafka's error behind a code, with the broker's own words about it."""
    if error_code:
        kind = for_code(error_code)
        raise kind(message or kind.description)
