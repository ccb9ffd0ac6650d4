"""Topics are the registry's, and no service is scaled beyond what its topics can feed."""

from __future__ import annotations

from typing import Final

import pytest

from libs.bus.kafka.topic_plan import PARTITIONS, wanted_topics
from libs.contracts.topics import TOPICS
from tests.deploy.kafka_topics import FILE, kafka_topics
from tests.deploy.rendered import OVERLAYS, Manifest, environment, of_kind, pod_templates, service_of
from tests.house.tree import python

_ONE_ONLY: Final = {"xero_mcp", "insights"}
"""Services that keep in memory what a second process would have another part of."""

_SURGE: Final = 1
"""Pods beyond the replicas while a deployment rolls."""


def _triggers(scaled: Manifest) -> list[dict[str, str]]:
    return [trigger["metadata"] for trigger in scaled["spec"]["triggers"]]


def test_the_topics_are_those_of_the_registry() -> None:
    assert FILE.read_text(encoding="utf-8") == kafka_topics(), (
        "deploy/base/kafka-topics.yaml is out of date; run: make contracts"
    )


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_topics_have_as_many_copies_as_there_are_brokers_for(overlay: str) -> None:
    brokers = sum(
        pool["spec"]["replicas"]
        for pool in of_kind(overlay, "KafkaNodePool").values()
        if "broker" in pool["spec"]["roles"]
    )
    topics = [topic["spec"] for topic in of_kind(overlay, "KafkaTopic").values()]
    assert {topic["topicName"] for topic in topics} == {wanted.name for wanted in wanted_topics()}
    assert {topic["replicas"] for topic in topics} == {brokers}
    assert {topic["config"]["min.insync.replicas"] for topic in topics} == {str(max(1, brokers - 1))}
    assert {topic["partitions"] for topic in topics} == {PARTITIONS}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_service_is_scaled_on_every_topic_that_it_reads_and_no_other(overlay: str) -> None:
    scaled = of_kind(overlay, "ScaledObject")
    readers = {reader for topic in TOPICS for reader in topic.readers}
    running = {service_of(name) for name in of_kind(overlay, "Deployment")}
    assert {service_of(name) for name in scaled} == (readers & running) - _ONE_ONLY
    for name, one in scaled.items():
        read = {topic.name for topic in TOPICS if service_of(name) in topic.readers}
        assert {trigger["topic"] for trigger in _triggers(one)} == read
        assert one["spec"]["scaleTargetRef"] == {"name": name}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_lag_is_asked_of_groups_that_the_code_has(overlay: str) -> None:
    for name, one in of_kind(overlay, "ScaledObject").items():
        text = "".join(source.text for source in python("services") if f"/{service_of(name)}/flow/" in source.name)
        for trigger in _triggers(one):
            assert f'"{trigger["consumerGroup"]}"' in text


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_there_are_never_more_replicas_than_partitions(overlay: str) -> None:
    deployments = of_kind(overlay, "Deployment")
    for name, one in of_kind(overlay, "ScaledObject").items():
        spec = one["spec"]
        assert spec["minReplicaCount"] >= 1, "what sleeps sees neither a window nor a sign-off"
        assert spec["minReplicaCount"] <= spec["maxReplicaCount"]
        assert spec["maxReplicaCount"] + _SURGE <= PARTITIONS
        assert "replicas" not in deployments[name]["spec"], "KEDA says how many, and would be undone at each apply"
        strategy = deployments[name]["spec"]["strategy"]
        assert strategy["rollingUpdate"] == {"maxSurge": _SURGE, "maxUnavailable": 0}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_replicas_change_rarely_since_each_change_stops_the_group(overlay: str) -> None:
    quarter_seconds = 900
    for one in of_kind(overlay, "ScaledObject").values():
        behaviour = one["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
        assert behaviour["scaleDown"]["stabilizationWindowSeconds"] >= quarter_seconds
        assert one["spec"]["cooldownPeriod"] >= quarter_seconds
        for trigger in _triggers(one):
            assert trigger["allowIdleConsumers"] == "false"
            assert trigger["ensureEvenDistributionOfPartitions"] == "true"
            assert trigger["offsetResetPolicy"] == "earliest"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_keeps_its_own_part_in_memory_is_never_there_twice(overlay: str) -> None:
    once = {service_of(name): each["spec"] for name, each in of_kind(overlay, "Deployment").items()}
    for service in _ONE_ONLY:
        assert once[service]["replicas"] == 1
        assert once[service]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_addresses_lead_to_something_in_the_namespace(overlay: str) -> None:
    services = {f"{name}:8080" for name in of_kind(overlay, "Service")}
    (kafka,) = of_kind(overlay, "Kafka")
    (postgres,) = of_kind(overlay, "Cluster")
    for name, pod in pod_templates(overlay):
        told = environment(overlay, pod)
        assert f"@{postgres}-rw:5432/well?sslmode=verify-full" in f"@{told['WELL_DATABASE_URL']}".replace("://", "@")
        if name == "migrate":
            continue
        assert told["WELL_KAFKA"] == f"{kafka}-kafka-bootstrap:9092"
        assert str(told["WELL_AUTH_URL"]).removeprefix("http://") in services
    for one in of_kind(overlay, "ScaledObject").values():
        assert {trigger["bootstrapServers"] for trigger in _triggers(one)} == {f"{kafka}-kafka-bootstrap.well:9092"}
