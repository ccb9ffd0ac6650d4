"""What carries events to the consumer groups of one service."""

from __future__ import annotations

from collections.abc import Mapping

from libs.bus.carrier import Transport
from libs.bus.embedded import Consumer
from libs.bus.port import Subscription
from libs.contracts.errors import Rejected
from libs.contracts.topics import log_of
from libs.runtime.clock import Clock
from well.storage import Storage


def transport_of(service: str, storage: Storage, clock: Clock, *, kafka: str | None = None) -> Transport:
    """The transport of a service: its consumers tail the log tables of all services in the one Postgres.

    Args:
        service: Whose groups are carried.
        storage: Rows and logs.
        clock: The one clock.
        kafka: Where Kafka is, if events shall come that way.

    Raises:
        Rejected: `no_kafka`: this version has no such way.
    """
    if kafka is not None:
        sentence = "WELL_KAFKA is set, and this version carries events through Postgres alone; leave it out."
        raise Rejected(sentence, code="no_kafka")

    def embedded(subscriptions: tuple[Subscription, ...]) -> tuple[Consumer, ...]:
        return tuple(
            Consumer(
                subscription,
                database=storage.databases[service],
                log=storage.log(service),
                reader=storage.reader,
                clock=clock,
            )
            for subscription in subscriptions
        )

    return embedded


async def stored_positions(storage: Storage, subscription: Subscription) -> Mapping[str, Mapping[int, int]]:
    """How far a group is, by topic and bucket, as Postgres has it; whatever carries the events."""
    group = subscription.group
    return {topic: await storage.reader.positions(group, log_of(topic), topic) for topic in sorted(subscription.topics)}
