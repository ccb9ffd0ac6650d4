"""What Kafka topics there should be, and what must change for it. Pure.

Every topic of the registry has one on the cluster under a prefix, and one for its dead letters. What the registry does
not name is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from libs.contracts.errors import Rejected
from libs.contracts.identity import BUCKETS
from libs.contracts.topics import DLQ_DAYS, INSIGHTS_DEAD_LETTERS, TOPICS, Topic, dead_letters_of

PARTITIONS: Final = 12
"""Partitions a topic: up to twelve replicas of a service share its work, and 12 divides evenly over 2, 3, 4 and 6 of
them. More would cost every broker open files, and every rebalance time, for replicas that nobody runs."""

REPLICAS: Final = 3
"""Copies of each partition: one broker may be down for an upgrade while another one fails."""

DAY_MILLISECONDS: Final = 86_400_000
"""Milliseconds of a day, the unit of Kafka's `retention.ms`."""

_FEWER: Final = "Kafka cannot take partitions away."

_NOT_DRAINED: Final = (
    "Buckets would move to other partitions while their events wait in the old ones, and come out of order. Stop the "
    "relays, let every group read to the end, then apply with --drained."
)

_OTHER_REPLICAS: Final = "Moving copies between brokers is left to kafka-reassign-partitions."


@dataclass(frozen=True)
class WantedTopic:
    """A topic as the registry wants it on the cluster.

    Attributes:
        name: Its name there, with the prefix.
        partitions: How many; the partition of an event is its bucket modulo this.
        replicas: Copies of each partition.
        settings: What is set for it, by the names of Kafka's documentation.
    """

    name: str
    partitions: int
    replicas: int
    settings: Mapping[str, str]


@dataclass(frozen=True)
class StandingTopic:
    """A topic as it stands on the cluster.

    Attributes:
        name: Its name there.
        partitions: How many.
        replicas: Copies of each partition.
        settings: Every setting that counts for it, whether it was set for it or is the cluster's own.
        own_settings: Those of them that were set for it.
    """

    name: str
    partitions: int
    replicas: int
    settings: Mapping[str, str]
    own_settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """One difference of a topic.

    Attributes:
        topic: Its name on the cluster.
        what: `partitions`, or the setting's name.
        now: What stands.
        then: What is wanted.
    """

    topic: str
    what: str
    now: str
    then: str


@dataclass(frozen=True)
class Refusal:
    """A difference that is left as it is.

    Attributes:
        change: What it would take.
        why: Why it is not done and what helps, in a sentence that is the same for every topic.
    """

    change: Change
    why: str


@dataclass(frozen=True)
class TopicPlan:
    """What must happen on the cluster.

    Attributes:
        create: Topics that are missing.
        change: What is brought to what the registry says.
        refused: What is not done.
        kept: Topics that stand as they should.
        unknown: Topics under the prefix that the registry does not name; left alone.
    """

    create: tuple[WantedTopic, ...]
    change: tuple[Change, ...]
    refused: tuple[Refusal, ...]
    kept: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be done."""
        return not self.create and not self.change


def wanted_topics(
    prefix: str = "", *, partitions: int = PARTITIONS, replicas: int = REPLICAS, registry: Sequence[Topic] = TOPICS
) -> tuple[WantedTopic, ...]:
    """The registry as topics of a cluster, each followed by its dead letters, and at the end those of insights.

    Raises:
        Rejected: `partitions_out_of_range`, `replicas_out_of_range`.
    """
    if not 1 <= partitions <= BUCKETS:
        sentence = f"A topic has 1 to {BUCKETS} partitions, one for each bucket at most, and not {partitions}."
        raise Rejected(sentence, code="partitions_out_of_range")
    if replicas < 1:
        raise Rejected(f"A topic has 1 replica at least, and not {replicas}.", code="replicas_out_of_range")
    wanted = []
    letters = _settings(DLQ_DAYS, replicas, compacted=False)
    for topic in registry:
        kept = _settings(topic.retention_days, replicas, compacted=topic.compacted)
        wanted.append(WantedTopic(prefix + topic.name, partitions, replicas, kept))
        wanted.append(WantedTopic(prefix + dead_letters_of(topic.name), partitions, replicas, letters))
    wanted.append(WantedTopic(prefix + INSIGHTS_DEAD_LETTERS, partitions, replicas, letters))
    return tuple(wanted)


def _settings(retention_days: int, replicas: int, *, compacted: bool) -> dict[str, str]:
    return {
        "cleanup.policy": "compact" if compacted else "delete",
        "retention.ms": str(retention_days * DAY_MILLISECONDS),
        # An acknowledged event then lies on two brokers at least, and one may still be down.
        "min.insync.replicas": str(max(1, replicas - 1)),
    }


def plan_topics(
    wanted: Iterable[WantedTopic], standing: Iterable[StandingTopic], *, prefix: str = "", drained: bool = False
) -> TopicPlan:
    """The way from what stands to what is wanted.

    Args:
        wanted: From the registry.
        standing: From the cluster.
        prefix: What our topics begin with; without one every topic of the cluster may be ours.
        drained: Whether the operator says that the relays stand still and every group has read to the end.
    """
    stands = {topic.name: topic for topic in standing}
    create, change, refused, kept = [], [], [], []
    named = set()
    for topic in wanted:
        named.add(topic.name)
        if topic.name not in stands:
            create.append(topic)
            continue
        changes = _changes(topic, stands[topic.name], drained=drained)
        refusals = _refusals(topic, stands[topic.name], drained=drained)
        change += changes
        refused += refusals
        if not changes and not refusals:
            kept.append(topic.name)
    unknown = sorted(name for name in stands if name not in named and name.startswith(prefix))
    return TopicPlan(tuple(create), tuple(change), tuple(refused), tuple(kept), tuple(unknown))


def is_carried_out(plan: TopicPlan, standing: Iterable[StandingTopic]) -> bool:
    """Whether everything that a plan makes and changes is so."""
    stands = {topic.name: topic for topic in standing}
    return all(topic.name in stands for topic in plan.create) and all(
        _stands_at(stands[change.topic], change.what) == change.then for change in plan.change
    )


def _stands_at(stands: StandingTopic, what: str) -> str | None:
    return str(stands.partitions) if what == "partitions" else stands.settings.get(what)


def _changes(wanted: WantedTopic, stands: StandingTopic, *, drained: bool) -> list[Change]:
    changes = [
        Change(wanted.name, name, stands.settings.get(name, "unset"), value)
        for name, value in wanted.settings.items()
        if stands.settings.get(name) != value
    ]
    if wanted.partitions > stands.partitions and drained:
        changes.append(Change(wanted.name, "partitions", str(stands.partitions), str(wanted.partitions)))
    return changes


def _refusals(wanted: WantedTopic, stands: StandingTopic, *, drained: bool) -> list[Refusal]:
    refused = []
    if wanted.partitions != stands.partitions:
        change = Change(wanted.name, "partitions", str(stands.partitions), str(wanted.partitions))
        if wanted.partitions < stands.partitions:
            refused.append(Refusal(change, _FEWER))
        elif not drained:
            refused.append(Refusal(change, _NOT_DRAINED))
    if stands.replicas != wanted.replicas:
        change = Change(wanted.name, "replicas", str(stands.replicas), str(wanted.replicas))
        refused.append(Refusal(change, _OTHER_REPLICAS))
    return refused
