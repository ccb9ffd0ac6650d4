"""What carries events to the consumer groups of one service: the log tables themselves, or Kafka."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from libs.bus.carrier import Carrier, Transport
from libs.bus.embedded import Consumer
from libs.bus.port import Subscription
from libs.contracts.topics import TOPICS, log_of
from libs.runtime.clock import Clock
from well.storage import Storage

if TYPE_CHECKING:
    from libs.bus.kafka.relay import Relay


@dataclass(frozen=True)
class Cluster:
    """A Kafka cluster as we use it.

    Attributes:
        bootstrap: Brokers of it, `host:port,host:port`.
        prefix: What our topics and groups begin with there.
    """

    bootstrap: str
    prefix: str


def transport_of(service: str, storage: Storage, clock: Clock, cluster: Cluster | None = None) -> Transport:
    """The transport of a service: its groups read Kafka, or, without a cluster, tail the logs in the one Postgres."""
    database, log, reader = storage.databases[service], storage.log(service), storage.reader

    def carrier(subscription: Subscription) -> Carrier:
        if cluster is None:
            return Consumer(subscription, database=database, log=log, reader=reader, clock=clock)
        from libs.bus.kafka.consumer import KafkaConsumer  # one machine needs no Kafka, and its client takes a while

        return KafkaConsumer(
            subscription,
            database=database,
            log=log,
            reader=reader,
            bootstrap=cluster.bootstrap,
            prefix=cluster.prefix,
            clock=clock,
        )

    return lambda subscriptions: tuple(carrier(subscription) for subscription in subscriptions)


def relays_of(service: str, storage: Storage, clock: Clock, cluster: Cluster | None) -> tuple[Relay, ...]:
    """What publishes a service's log: nothing without a cluster, nor for a service that owns no topic."""
    if cluster is None or service not in {topic.owner for topic in TOPICS}:
        return ()
    from libs.bus.kafka.relay import Relay
    from libs.bus.kafka.relayed import RelayedLog

    log, reader = RelayedLog(service, storage.carrying), storage.reader
    return (Relay(log, reader=reader, bootstrap=cluster.bootstrap, prefix=cluster.prefix, clock=clock),)


async def stored_positions(storage: Storage, subscription: Subscription) -> Mapping[str, Mapping[int, int]]:
    """How far a group is, by topic and bucket, as Postgres has it; whatever carries the events."""
    group = subscription.group
    return {topic: await storage.reader.positions(group, log_of(topic), topic) for topic in sorted(subscription.topics)}
