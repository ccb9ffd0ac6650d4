"""What is done to a cluster's topics, and what is left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.bus.kafka.topic_plan import (
    DAY_MILLISECONDS,
    Change,
    StandingTopic,
    WantedTopic,
    plan_topics,
    wanted_topics,
)
from libs.contracts.errors import Rejected
from libs.contracts.topics import DLQ_DAYS, TOPICS, Topic


def _standing(topic: WantedTopic) -> StandingTopic:
    return StandingTopic(topic.name, topic.partitions, topic.replicas, dict(topic.settings))


def test_every_topic_of_the_registry_is_wanted_with_its_dead_letters() -> None:
    names = [topic.name for topic in wanted_topics("eu.")]
    registry = [name for topic in TOPICS for name in (f"eu.{topic.name}", f"eu.{topic.name}.dlq")]
    assert names == [*registry, "eu.insights.dlq"]


def test_events_are_kept_as_the_registry_says_and_dead_letters_for_a_quarter() -> None:
    topic, *letters = wanted_topics(registry=[Topic("a.done.v1", ("Done",), "auth", (), retention_days=30)])
    assert topic.settings["retention.ms"] == str(30 * DAY_MILLISECONDS)
    assert [each.settings["retention.ms"] for each in letters] == [str(DLQ_DAYS * DAY_MILLISECONDS)] * 2


def test_a_topic_is_compacted_where_the_registry_says_so_and_its_dead_letters_never() -> None:
    wanted = wanted_topics(registry=[Topic("a.done.v1", ("Done",), "auth", (), compacted=True)])
    assert [each.settings["cleanup.policy"] for each in wanted] == ["compact", "delete", "delete"]


@pytest.mark.parametrize(("replicas", "in_sync"), [(1, "1"), (2, "1"), (3, "2")])
def test_one_replica_may_be_missing_when_an_event_is_acknowledged(replicas: int, in_sync: str) -> None:
    assert {topic.settings["min.insync.replicas"] for topic in wanted_topics(replicas=replicas)} == {in_sync}


@pytest.mark.parametrize("partitions", [0, 65])
def test_a_topic_cannot_have_more_partitions_than_a_log_has_buckets(partitions: int) -> None:
    with pytest.raises(Rejected, match="1 to 64 partitions"):
        wanted_topics(partitions=partitions)


def test_an_empty_cluster_is_given_everything() -> None:
    wanted = wanted_topics()
    plan = plan_topics(wanted, [])
    assert plan.create == wanted
    assert (plan.change, plan.refused, plan.kept) == ((), (), ())


def test_a_setting_that_differs_is_brought_to_what_the_registry_says() -> None:
    [topic, *_] = wanted_topics()
    shorter = replace(_standing(topic), settings=dict(topic.settings) | {"retention.ms": "1000", "segment.ms": "5"})
    plan = plan_topics([topic], [shorter])
    assert plan.change == (Change(topic.name, "retention.ms", "1000", topic.settings["retention.ms"]),)
    assert plan.refused == ()


def test_more_partitions_are_refused_until_the_operator_says_that_the_topics_are_drained() -> None:
    [topic, *_] = wanted_topics(partitions=24)
    fewer = replace(_standing(topic), partitions=12)
    plan = plan_topics([topic], [fewer])
    [refusal] = plan.refused
    assert refusal.change == Change(topic.name, "partitions", "12", "24")
    assert "--drained" in refusal.why
    assert plan.is_empty
    drained = plan_topics([topic], [fewer], drained=True)
    assert drained.change == (Change(topic.name, "partitions", "12", "24"),)
    assert drained.refused == ()


def test_fewer_partitions_are_refused_whatever_the_operator_says() -> None:
    [topic, *_] = wanted_topics(partitions=6)
    plan = plan_topics([topic], [replace(_standing(topic), partitions=12)], drained=True)
    assert plan.is_empty
    assert "cannot take partitions away" in plan.refused[0].why


def test_a_topic_with_other_replicas_may_still_be_given_partitions() -> None:
    [topic, *_] = wanted_topics()
    plan = plan_topics([topic], [replace(_standing(topic), replicas=1, partitions=6)], drained=True)
    assert [made.what for made in plan.change] == ["partitions"]


def test_other_replicas_are_left_to_the_tool_that_moves_them_and_the_rest_is_done() -> None:
    [topic, *_] = wanted_topics()
    other = replace(_standing(topic), replicas=1, settings=dict(topic.settings) | {"retention.ms": "1"})
    plan = plan_topics([topic], [other])
    assert [made.what for made in plan.change] == ["retention.ms"]
    assert "kafka-reassign-partitions" in plan.refused[0].why


def test_topics_of_others_are_left_alone_and_those_under_our_prefix_are_named() -> None:
    others = [StandingTopic("orders", 3, 1, {}), StandingTopic("eu.old.v1", 3, 1, {})]
    plan = plan_topics(wanted_topics("eu."), others, prefix="eu.")
    assert plan.unknown == ("eu.old.v1",)


@given(
    present=st.sets(st.sampled_from([topic.name for topic in wanted_topics()])),
    partitions=st.integers(1, 64),
    drained=st.booleans(),
)
def test_after_a_plan_was_carried_out_there_is_nothing_left_to_do(
    present: set[str], partitions: int, *, drained: bool
) -> None:
    wanted = wanted_topics()
    before = [replace(_standing(topic), partitions=partitions) for topic in wanted if topic.name in present]
    plan = plan_topics(wanted, before, drained=drained)
    raised = {change.topic for change in plan.change}
    after = [replace(topic, partitions=12) if topic.name in raised else topic for topic in before]
    again = plan_topics(wanted, [*after, *map(_standing, plan.create)], drained=drained)
    assert again.is_empty
    assert again.refused == plan.refused
