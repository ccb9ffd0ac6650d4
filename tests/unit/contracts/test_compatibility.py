"""What breaks a reader or a writer of a released event is found, and what breaks nobody is let pass."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import ConfigDict, create_model

from libs.contracts.compatibility import breaks, schema_breaks
from libs.contracts.events import MatchDecided
from libs.contracts.schemas import Schema, event_schemas, schema_of
from tests.unit.contracts.changes import CHANGES_THAT_BREAK, NO_CHANGE_FOR_ANYBODY

_TOPIC = "line.ruled.v1"


def _with(**fields: Any) -> Schema:  # noqa: ANN401 pydantic's own way to say a field
    """The schema of an event that has `type`, an optional note and these fields."""
    model = create_model(
        "LineRuled",
        __config__=ConfigDict(extra="forbid"),
        type=(Literal["LineRuled"], "LineRuled"),
        note=(str | None, None),
        **fields,
    )
    return schema_of(_TOPIC, model)


def _said(released: Schema, now: Schema) -> list[str]:
    return [str(found) for found in schema_breaks(released, now, where="it:")]


@pytest.mark.parametrize("name", NO_CHANGE_FOR_ANYBODY)
def test_what_breaks_nobody_is_let_pass(name: str) -> None:
    released, now = NO_CHANGE_FOR_ANYBODY[name]
    assert _said(_with(**released), _with(**now)) == []


@pytest.mark.parametrize("name", CHANGES_THAT_BREAK)
def test_what_breaks_somebody_is_found_and_said(name: str) -> None:
    released, now, what, hurts = CHANGES_THAT_BREAK[name]
    assert f"it: {what}; that breaks a {hurts}" in _said(_with(**released), _with(**now))


def test_a_type_that_is_gone_or_renamed_is_found() -> None:
    ruled = _with()
    assert [str(found) for found in breaks({(_TOPIC, "LineRuled"): ruled}, {(_TOPIC, "LineDrawn"): ruled})] == [
        "line.ruled.v1/LineRuled is gone or has another name; that breaks a reader"
    ]


def test_a_topic_that_is_renamed_is_found() -> None:
    ruled = _with()
    assert breaks({(_TOPIC, "LineRuled"): ruled}, {("line.drawn.v1", "LineRuled"): ruled})


def test_a_new_type_and_a_new_topic_break_nobody() -> None:
    ruled = _with()
    assert (
        breaks({(_TOPIC, "LineRuled"): ruled}, {(_TOPIC, "LineRuled"): ruled, ("line.ruled.v2", "LineRuled"): {}}) == []
    )


def test_our_own_events_break_nobody_as_they_are() -> None:
    assert breaks(event_schemas(), event_schemas()) == []


def test_a_field_taken_from_an_event_of_ours_is_found() -> None:
    fields = {name: (field.annotation, field) for name, field in MatchDecided.model_fields.items() if name != "reason"}
    without = create_model("MatchDecided", **fields)
    now = {**event_schemas(), ("match.decided.v1", "MatchDecided"): schema_of("match.decided.v1", without)}
    assert [str(found) for found in breaks(event_schemas(), now)] == [
        "match.decided.v1/MatchDecided: payload.reason is gone or has another name; that breaks a reader"
    ]


def test_a_schema_that_cannot_be_judged_is_said_to_be_one() -> None:
    twice = {"anyOf": [{"type": "string", "maxLength": 3}, {"type": "string", "format": "uuid"}]}
    with pytest.raises(ValueError, match="two alternatives of one schema are both string"):
        schema_breaks(twice, twice, where="it:")
    with pytest.raises(ValueError, match="a list of types"):
        schema_breaks({"type": ["string", "null"]}, {"type": "string"}, where="it:")
