"""The registry of topics holds together, and docs/events.md shows it as it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from libs.contracts.topics import BY_NAME, TOPICS, Service, Topic, dead_letters_of, topic_of
from tests.unit.contracts.events_page import events_page

_REPOSITORY = Path(__file__).parents[3]

every_topic = pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)


@every_topic
def test_a_name_is_a_noun_a_past_participle_and_a_major_version(topic: Topic) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z]+(_[a-z]+)?\.v[1-9][0-9]*", topic.name)


@every_topic
def test_a_topic_has_one_owner_and_readers_that_exist(topic: Topic) -> None:
    services = set(get_args(Service.__value__ if hasattr(Service, "__value__") else Service))
    assert {topic.owner, *topic.readers} <= services
    assert len(set(topic.readers)) == len(topic.readers)
    assert (_REPOSITORY / "services" / topic.owner).is_dir()


@every_topic
def test_every_event_reaches_the_audit(topic: Topic) -> None:
    assert "audit" in topic.readers


@every_topic
def test_events_are_kept_as_long_as_bookkeeping_documents(topic: Topic) -> None:
    assert topic.retention_days >= 10 * 365


def test_names_are_given_once() -> None:
    assert len(BY_NAME) == len(TOPICS)
    assert all(len(set(topic.types)) == len(topic.types) for topic in TOPICS)


def test_only_raw_topics_share_their_types() -> None:
    owners: dict[str, list[str]] = {}
    for topic in TOPICS:
        for type_ in topic.types:
            owners.setdefault(type_, []).append(topic.name)
    shared = {type_: names for type_, names in owners.items() if len(names) > 1}
    assert all(name.endswith(".raw.v1") for names in shared.values() for name in names)


@every_topic
def test_a_type_finds_its_topic(topic: Topic) -> None:
    provider = topic.name.split(".")[0] if topic.name.endswith(".raw.v1") else None
    assert {topic_of(type_, provider) for type_ in topic.types} == {topic.name}


def test_a_type_without_a_topic_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        topic_of("PostLaminated")


def test_dead_letters_stand_beside_their_topic() -> None:
    assert dead_letters_of("match.decided.v1") == "match.decided.v1.dlq"


def test_the_page_of_events_shows_the_registry_as_it_is() -> None:
    page = _REPOSITORY / "docs" / "events.md"
    assert page.read_text(encoding="utf-8") == events_page(), (
        "docs/events.md is out of date; run: .venv/bin/python -m tests.unit.contracts.events_page"
    )
