"""A JSON Schema for each event type of each topic: what lies in a message once it is opened. Pure.

The schemas are for readers, so they are open where our own models are closed: a field that a reader does not know may
come one day, and is to be passed over. `compatibility.py` says what may change and what may not.

Source: https://json-schema.org/draft/2020-12.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final, TypeAlias, get_args

from pydantic import BaseModel, create_model

from libs.contracts.envelope import Envelope
from libs.contracts.events import Event, Parked
from libs.contracts.topics import TOPICS, dead_letters_of

Schema: TypeAlias = dict[str, Any]

Schemas: TypeAlias = Mapping[tuple[str, str], Schema]
"""Schemas by topic and event type."""

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_MODELS: Final[Mapping[str, type[BaseModel]]] = {model.__name__: model for model in get_args(get_args(Event)[0])}

_LEFT_OUT: Final = frozenset({"title", "discriminator"})
"""Titles repeat the names, and `discriminator` is no word of JSON Schema: the tags themselves tell variants apart."""


def event_schemas() -> Schemas:
    """The schema of every event of the registry, and of the dead letters beside each topic."""
    carried = {(topic.name, type_): _MODELS[type_] for topic in TOPICS for type_ in topic.types}
    letters = {(dead_letters_of(topic.name), Parked.__name__): Parked for topic in TOPICS}
    return {(topic, type_): schema_of(topic, model) for (topic, type_), model in (carried | letters).items()}


def schema_of(topic: str, model: type[BaseModel]) -> Schema:
    """The schema of an event of one type, in its envelope.

    Args:
        topic: The topic that carries it.
        model: The event's class.
    """
    addressed = create_model(model.__name__, __base__=Envelope, payload=(model, ...))
    told: Schema = addressed.model_json_schema()
    told["properties"]["topic"] = {"const": topic, "type": "string"}
    return {
        "$schema": DIALECT,
        "$id": f"urn:well:{topic}:{model.__name__}",
        "title": model.__name__,
        "description": said_of(model),
        **_opened(told),
    }


def said_of(model: type[BaseModel]) -> str:
    """What an event says: the first paragraph of its docstring, on one line."""
    return " ".join((inspect.getdoc(model) or "").split("\n\n")[0].split())


def said_of_type(type_: str) -> str:
    """The same, by the event's type."""
    return said_of(_MODELS[type_])


def _opened(node: Any) -> Any:  # noqa: ANN401 any part of a schema
    """A part of a schema as readers get it: open, every tag required, and without repetition."""
    if isinstance(node, list):
        return [_opened(part) for part in node]
    if not isinstance(node, dict):
        return node
    opened = {
        word: _opened_word(word, part)
        for word, part in node.items()
        if word not in _LEFT_OUT and (word, part) != ("additionalProperties", False)
    }
    tags = tags_of(opened)
    if tags:
        opened["required"] = [*opened.get("required", ()), *tags]
    return opened


def tags_of(schema: Schema) -> list[str]:
    """The fields that say which of several variants an object is: each has one value, and has it by itself."""
    properties = schema.get("properties", {})
    return [name for name, part in properties.items() if "const" in part and part.get("default") == part["const"]]


def _opened_word(word: str, part: Any) -> Any:  # noqa: ANN401 the same
    if word in {"properties", "$defs"}:  # their words are names, which may be those of keywords
        return {name: _opened(named) for name, named in part.items()}
    if word == "default":
        return part
    if word == "description":
        return "\n\n".join(" ".join(paragraph.split()) for paragraph in part.split("\n\n"))
    return _opened(part)
