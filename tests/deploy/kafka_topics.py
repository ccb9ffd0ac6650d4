"""Writes deploy/base/kafka-topics.yaml from the registry: `python -m tests.deploy.kafka_topics`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import yaml

from libs.bus.kafka.topic_plan import WantedTopic, wanted_topics

FILE: Final = Path(__file__).parents[2] / "deploy" / "base" / "kafka-topics.yaml"

_HEAD: Final = """\
# Made from libs/contracts/topics.py; a test fails when it is out of date and says how to make it again.
"""


def kafka_topics() -> str:
    """The file as the registry has it now: one resource a topic, for Strimzi's topic operator."""
    return _HEAD + yaml.safe_dump_all(map(_resource, wanted_topics()), sort_keys=False, explicit_start=True)


def _resource(topic: WantedTopic) -> dict[str, object]:
    return {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaTopic",
        # Kubernetes takes no underscore in a name.
        "metadata": {"name": topic.name.replace("_", "-"), "labels": {"strimzi.io/cluster": "well"}},
        "spec": {
            "topicName": topic.name,
            "partitions": topic.partitions,
            "replicas": topic.replicas,
            "config": dict(topic.settings),
        },
    }


if __name__ == "__main__":
    FILE.write_text(kafka_topics(), encoding="utf-8")
