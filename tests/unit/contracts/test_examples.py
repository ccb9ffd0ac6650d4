"""The golden examples: every event ever released still decodes, and is written back as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, get_args

import pytest
import rfc8785
from pydantic import ValidationError

import libs.contracts
from libs.contracts.envelope import Envelope, decoded
from libs.contracts.errors import Malformed
from libs.contracts.events import Event
from libs.contracts.identity import derived_id
from libs.contracts.topics import BY_NAME, TOPICS, dead_letters_of, topic_of

_EXAMPLES: Final = Path(libs.contracts.__file__).parent / "examples"
_FILES: Final = sorted(_EXAMPLES.rglob("*.json"))

every_example = pytest.mark.parametrize("file", _FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")


def _types_of_the_union() -> set[str]:
    union, _ = get_args(Event)
    return {member.model_fields["type"].default for member in get_args(union)}


def _example(name: str) -> dict[str, Any]:
    words: dict[str, Any] = json.loads((_EXAMPLES / name).read_text(encoding="utf-8"))
    return words


def test_every_type_of_every_topic_has_an_example() -> None:
    shown = {(file.parent.name, file.name.split(".")[0]) for file in _FILES}
    declared = {(topic.name, type_) for topic in TOPICS for type_ in topic.types}
    assert declared - shown == set()
    assert "Parked" in {type_ for topic, type_ in shown if topic.endswith(".dlq")}


def test_the_registry_and_the_union_name_the_same_types() -> None:
    assert {type_ for topic in TOPICS for type_ in topic.types} | {"Parked"} == _types_of_the_union()


def test_nothing_else_lies_among_the_examples() -> None:
    folders = {*BY_NAME, *map(dead_letters_of, BY_NAME)}
    assert {file.parent.name for file in _FILES} <= folders
    others = {file for file in _EXAMPLES.rglob("*") if file.is_file()} - set(_FILES)
    assert others == {_EXAMPLES / "README.md", _EXAMPLES / "released.sha256"}


@every_example
def test_an_example_decodes_and_is_written_back_to_the_same_bytes(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    # A field that became known later has a default and was not in the example: it is left out here.
    written = Envelope.model_validate_json(text).model_dump(mode="json", exclude_unset=True)
    assert rfc8785.dumps(written) == rfc8785.dumps(json.loads(text))
    assert json.dumps(written, indent=2, ensure_ascii=False) + "\n" == text


@every_example
def test_an_example_lies_where_its_event_belongs(file: Path) -> None:
    envelope = Envelope.model_validate_json(file.read_bytes())
    assert envelope.topic == file.parent.name
    assert envelope.payload.type == file.name.split(".")[0]
    if not envelope.topic.endswith(".dlq"):
        assert envelope.topic == topic_of(envelope.payload.type, getattr(envelope.payload, "provider", None))
        assert envelope.payload.type in BY_NAME[envelope.topic].types


@every_example
def test_the_id_of_an_example_still_follows_from_its_cause(file: Path) -> None:
    envelope = Envelope.model_validate_json(file.read_bytes())
    assert envelope.id == derived_id(envelope.workspace, envelope.cause, envelope.payload.type, envelope.record)


@pytest.mark.parametrize("topic", ["xero.raw.v1", "qonto.raw.v1", "entity.normalized.v1"])
def test_the_end_of_a_window_lies_in_the_bucket_it_names(topic: str) -> None:
    type_ = "WindowNormalized" if topic == "entity.normalized.v1" else "WindowPulled"
    envelope = Envelope.model_validate_json((_EXAMPLES / topic / f"{type_}.json").read_bytes())
    assert envelope.bucket == getattr(envelope.payload, "bucket", None)


def _grown(words: object) -> object:
    """The same with a field more wherever there are fields."""
    if isinstance(words, dict):
        return {**{name: _grown(word) for name, word in words.items()}, "colour": {"red": 1}}
    return [_grown(word) for word in words] if isinstance(words, list) else words


@every_example
def test_what_a_newer_version_added_is_passed_over_wherever_it_stands(file: Path) -> None:
    read = decoded(json.dumps(_grown(json.loads(file.read_bytes()))).encode(), where="a log")
    assert read == Envelope.model_validate_json(file.read_bytes())


def test_what_is_no_event_of_this_version_is_malformed() -> None:
    words = _example("qonto.posted.v1/PostSent.json")
    for wrong in ({}, [], {**words, "id": 7}, {**words, "payload": {"type": "PostLaminated"}}):
        with pytest.raises(Malformed, match="this version knows") as unknown:
            decoded(json.dumps(wrong).encode(), where="a log")
        assert unknown.value.code == "unknown_event"


@every_example
def test_nothing_is_written_with_a_field_nobody_knows(file: Path) -> None:
    words = json.loads(file.read_bytes())
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Envelope.model_validate({**words, "colour": "red"})
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Envelope.model_validate({**words, "payload": {**words["payload"], "colour": "red"}})


def test_a_type_nobody_knows_is_refused() -> None:
    words = _example("qonto.posted.v1/PostSent.json")
    words["payload"]["type"] = "PostLaminated"
    with pytest.raises(ValidationError, match="union_tag_invalid"):
        Envelope.model_validate(words)


def test_an_entity_of_a_kind_nobody_knows_is_refused() -> None:
    words = _example("entity.normalized.v1/EntityNormalized.company.json")
    words["payload"]["entity"]["kind"] = "person"
    with pytest.raises(ValidationError, match="union_tag_invalid"):
        Envelope.model_validate(words)


@pytest.mark.parametrize(
    ("name", "field", "wrong"),
    [
        ("xero.raw.v1/RecordPulled.json", "content_sha256", "ABC"),
        ("xero.raw.v1/RecordPulled.json", "version", 0),
        ("xero.raw.v1/WindowPulled.json", "bucket", 64),
        ("xero.raw.v1/WindowPulled.json", "through", "2026-03-02T09:14:01"),
        ("match.decided.v1/MatchDecided.link.json", "confidence", 1.01),
        ("match.decided.v1/MatchDecided.link.json", "candidates", "thirteen"),
        ("document.fetched.v1/DocumentMissing.json", "sentence", ""),
    ],
)
def test_a_value_out_of_its_bounds_is_refused(name: str, field: str, wrong: object) -> None:
    words = _example(name)
    words["payload"][field] = words["payload"][field] * 13 if wrong == "thirteen" else wrong
    with pytest.raises(ValidationError):
        Envelope.model_validate(words)
