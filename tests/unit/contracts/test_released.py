"""What other teams read is what we write: docs/schemas and docs/asyncapi.json, and the examples they must fit."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

import libs.contracts
from libs.bus.kafka.asyncapi import document, document_breaks, headers_schema
from libs.bus.kafka.message import LogRow, message_of
from libs.contracts.schemas import event_schemas
from libs.contracts.topics import TOPICS
from libs.eventlog.port import Position, RawDelivery
from tests.unit.contracts.released import (
    DOCS,
    WHAT_TO_DO,
    all_breaks,
    example_breaks,
    lying_examples,
    pages,
    release,
    release_examples,
    released_examples,
    released_schemas,
)

_EXAMPLES: Final = sorted((Path(libs.contracts.__file__).parent / "examples").rglob("*.json"))

_META: Final = Path(__file__).with_name("asyncapi-3.0.0.json.gz")
"""`schemas/3.0.0-without-$id.json` of the npm package @asyncapi/specs 6.11.1, packed. Apache-2.0, copyright 2016-2025
AsyncAPI Initiative."""

every_example = pytest.mark.parametrize("file", _EXAMPLES, ids=lambda file: f"{file.parent.name}/{file.stem}")


def _references(node: Any) -> Iterator[str]:  # noqa: ANN401 any part of a document
    parts = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for part in parts:
        yield from _references(part)
    if isinstance(node, dict) and isinstance(node.get("$ref"), str):
        yield node["$ref"]


def test_todays_events_break_nobody_who_reads_or_wrote_the_released_ones() -> None:
    broken = [str(found) for found in all_breaks(event_schemas())]
    assert broken == [], WHAT_TO_DO


def test_what_lies_under_docs_is_up_to_date() -> None:
    now = pages(event_schemas())
    stale = [name for name, page in now.items() if not (DOCS / name).exists() or (DOCS / name).read_text() != page]
    assert stale == [], "out of date; run: make contracts"


def test_every_example_that_was_released_lies_there_as_it_was_and_every_other_is_released_too() -> None:
    assert [str(found) for found in example_breaks()] == [], WHAT_TO_DO
    assert lying_examples() == released_examples(), "an example is new; run: make contracts"


def test_an_example_that_was_released_is_neither_edited_nor_removed(tmp_path: Path) -> None:
    for name in ("PostSent.json", "PostSettled.json"):
        (tmp_path / name).write_text("{}")
    assert release_examples(tmp_path) == []
    (tmp_path / "PostUnknown.json").write_text("{}")
    assert release_examples(tmp_path) == []
    (tmp_path / "PostSent.json").write_text("{ }")
    (tmp_path / "PostSettled.json").unlink()
    said = [str(found) for found in release_examples(tmp_path)]
    assert said == [
        "PostSent.json was edited; that breaks a writer",
        "PostSettled.json is gone; that breaks a writer",
    ]
    assert len(released_examples(tmp_path)) == 3


def test_nothing_else_lies_among_the_schemas() -> None:
    lying = {file.relative_to(DOCS).as_posix() for file in (DOCS / "schemas").rglob("*") if file.is_file()}
    assert lying == pages(event_schemas()).keys() - {"asyncapi.json"}


@pytest.mark.parametrize(("topic", "type_"), sorted(event_schemas()))
def test_a_schema_is_one(topic: str, type_: str) -> None:
    Draft202012Validator.check_schema(event_schemas()[topic, type_])


@every_example
def test_an_example_fits_its_released_schema(file: Path) -> None:
    schema = released_schemas()[file.parent.name, file.name.split(".")[0]]
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
        json.loads(file.read_bytes())
    )


@every_example
def test_an_example_with_a_field_more_still_fits(file: Path) -> None:
    words = json.loads(file.read_bytes())
    grown = {**words, "colour": "red", "payload": {**words["payload"], "colour": "red"}}
    assert Draft202012Validator(released_schemas()[file.parent.name, file.name.split(".")[0]]).is_valid(grown)


@every_example
def test_an_example_without_a_tag_or_with_another_topic_fits_no_more(file: Path) -> None:
    words = json.loads(file.read_bytes())
    fits = Draft202012Validator(released_schemas()[file.parent.name, file.name.split(".")[0]]).is_valid
    untagged = {name: value for name, value in words["payload"].items() if name != "type"}
    assert not fits({**words, "payload": untagged})
    assert not fits({**words, "payload": {**words["payload"], "type": "PostLaminated"}})
    assert not fits({**words, "topic": "line.ruled.v1"})


def test_the_document_is_asyncapi_3() -> None:
    meta = json.loads(gzip.decompress(_META.read_bytes()))
    Draft7Validator(meta).validate(document())
    spoilt = document() | {"channels": {"match.decided.v1": {"address": 7}}}
    assert not Draft7Validator(meta).is_valid(spoilt)


def test_every_reference_of_the_document_leads_somewhere() -> None:
    words = document()
    for reference in set(_references(words)):
        if reference.startswith("#/"):
            place = words
            for step in reference.removeprefix("#/").split("/"):
                place = place[step]
        else:
            assert (DOCS / reference).is_file()


def test_the_document_has_every_topic_with_its_dead_letters_and_every_message() -> None:
    words = document()
    assert len(words["channels"]) == 2 * len(TOPICS)
    told = {(name, type_) for name, channel in words["channels"].items() for type_ in channel["messages"]}
    assert told == event_schemas().keys()
    assert words["components"]["messages"].keys() == {f"{name}.{type_}" for name, type_ in told}


def test_a_message_has_the_key_and_the_headers_that_the_document_promises() -> None:
    raw = RawDelivery(Position("matcher", "match.decided.v1", 63, 12), UUID(int=1), UUID(int=2), b"sealed")
    message = message_of(LogRow(raw, "MatchDecided", datetime(2026, 3, 2, tzinfo=UTC), bytes(16), 11))
    headers = {name: (value or b"").decode() for name, value in message.headers}
    Draft7Validator(headers_schema()).validate(headers)
    Draft7Validator(_key(document())).validate((message.key or b"").decode())
    for name in headers:
        assert not Draft7Validator(headers_schema()).is_valid({k: v for k, v in headers.items() if k != name})


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda words: words["channels"].pop("match.decided.v1"), "match.decided.v1 is gone or has another name"),
        (
            lambda words: _configuration(words).update({"retention.ms": 1}),
            "match.decided.v1 is kept for a shorter time",
        ),
        (
            lambda words: _configuration(words).update({"cleanup.policy": ["compact"]}),
            "match.decided.v1 is cleaned up in another way",
        ),
        (
            lambda words: words["components"]["schemas"]["headers"]["properties"].pop("ce_subject"),
            "headers: ce_subject is gone or has another name",
        ),
        (
            lambda words: _key(words).update(pattern="^.*$"),
            "key: has the pattern ^.*$",
        ),
    ],
)
def test_a_change_of_a_topic_or_of_the_manner_of_messages_that_breaks_a_reader_is_found(spoil: Any, said: str) -> None:  # noqa: ANN401 a lambda
    now = deepcopy(document())
    spoil(now)
    [found] = document_breaks(document(), now)
    assert str(found).startswith(said)


def _configuration(words: dict[str, Any]) -> dict[str, Any]:
    configuration: dict[str, Any] = words["channels"]["match.decided.v1"]["bindings"]["kafka"]["topicConfiguration"]
    return configuration


def _key(words: dict[str, Any]) -> dict[str, Any]:
    key: dict[str, Any] = words["components"]["messageTraits"]["sealed"]["bindings"]["kafka"]["key"]
    return key


def test_what_breaks_a_reader_is_not_written(tmp_path: Path) -> None:
    assert release(event_schemas(), tmp_path) == []
    before = {file: file.read_bytes() for file in tmp_path.rglob("*.json")}
    changed = json.loads(json.dumps(event_schemas()["match.decided.v1", "MatchDecided"]))
    del changed["$defs"]["MatchDecided"]["properties"]["sentence"]
    [broken] = release({**event_schemas(), ("match.decided.v1", "MatchDecided"): changed}, tmp_path)
    assert broken.where == "match.decided.v1/MatchDecided: payload.sentence"
    assert {file: file.read_bytes() for file in tmp_path.rglob("*.json")} == before


def test_an_optional_field_is_written(tmp_path: Path) -> None:
    assert release(event_schemas(), tmp_path) == []
    grown = json.loads(json.dumps(event_schemas()["match.decided.v1", "MatchDecided"]))
    grown["$defs"]["MatchDecided"]["properties"]["colour"] = {"type": "string", "default": "black"}
    assert release({**event_schemas(), ("match.decided.v1", "MatchDecided"): grown}, tmp_path) == []
    assert "colour" in (tmp_path / "schemas/match.decided.v1/MatchDecided.json").read_text()
