"""What a change of our events would break for those who read or wrote the released ones. Pure.

Two parties count on a released schema. A *reader* decodes what we write from now on with a decoder made for it. A
*writer* is whoever wrote what must still be read: the log of years, and a replica of the version before, while an
upgrade is under way. So what was promised to one must not be loosened, nor what was allowed to the other narrowed, and
of a released event little may change at all:

1. An optional field may be added, with a default. Readers pass over it, and writers need not know it.
2. An enumeration or a union that says `x-grows` may get one more value or variant. Readers were told.
3. Words for people may change. So may the order of anything that has none.

A new event type and a new topic break nobody. Everything else is a new topic `v2` beside the old one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from libs.contracts.schemas import Schema, Schemas, tags_of

GROWS: Final = "x-grows"
"""The word with which a schema says that more values or variants may come."""

_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_FOR_PEOPLE: Final = ("title", "description", "examples", "$schema", "$id", "$comment")
_COMPARED_APART: Final = (
    *("$defs", "$ref", "anyOf", "oneOf", "type", "enum", "const", "properties", "required", "items"),
    *("additionalProperties", "default", GROWS),
)


@dataclass(frozen=True)
class Break:
    """One thing that a change would break.

    Attributes:
        where: The topic, the event and the field: `match.decided.v1/MatchDecided: payload.candidates[].confidence`.
        hurts: Who counted on it.
        what: What was changed, in words.
    """

    where: str
    hurts: Literal["reader", "writer"]
    what: str

    def __str__(self) -> str:
        """All of it on one line."""
        return f"{self.where.rstrip()} {self.what}; that breaks a {self.hurts}"


def breaks(released: Schemas, now: Schemas) -> list[Break]:
    """Everything of the released schemas that today's no longer keep.

    Raises:
        ValueError: A schema is of a form that our models do not make, and this check cannot judge it.
    """
    found: list[Break] = []
    for (topic, type_), schema in sorted(released.items()):
        today = now.get((topic, type_))
        if today is None:
            found.append(Break(f"{topic}/{type_}", "reader", "is gone or has another name"))
        else:
            found += schema_breaks(schema, today, where=f"{topic}/{type_}:")
    return found


def schema_breaks(released: Schema, now: Schema, *, where: str) -> list[Break]:
    """The same for one schema; `where` stands before the path of each field.

    Raises:
        ValueError: As above.
    """
    return list(_Pair(released.get("$defs", {}), now.get("$defs", {})).compare(released, now, f"{where} "))


@dataclass(frozen=True)
class _Pair:
    """A released schema and today's, by their definitions."""

    released: Mapping[str, Schema]
    now: Mapping[str, Schema]

    def compare(self, old: Schema, new: Schema, path: str) -> Iterator[Break]:
        """Compare two places, alternative by alternative."""
        before, after = _alternatives(old, self.released), _alternatives(new, self.now)
        grows = _grows(old, self.released)
        for name in before.keys() - after.keys():
            yield Break(path, "writer", f"may no longer be {name}")
        for name in after.keys() - before.keys():
            if not (grows and "=" in name):
                yield Break(path, "reader", f"may now be {name}")
        if not grows and _grows(new, self.now):
            yield Break(path, "reader", "may now grow, which nobody was told")
        for name in sorted(before.keys() & after.keys()):
            yield from self._values(before[name], after[name], path)
            yield from _limits(before[name], after[name], path)
            yield from self._fields(before[name], after[name], path)
            yield from self._parts(before[name], after[name], path)
        if old.get("default") != new.get("default"):
            yield Break(path, "writer", "has another default, and a message that left it out would be read otherwise")

    def _values(self, old: Schema, new: Schema, path: str) -> Iterator[Break]:
        before, after = _enumerated(old), _enumerated(new)
        if before is None and after is not None:
            yield Break(path, "writer", f"may only be one of {_listed(after)}")
        elif before is not None and after is None:
            yield Break(path, "reader", "may now be anything of its type")
        elif before is not None and after is not None:
            if before - after:
                yield Break(path, "writer", f"may no longer be {_listed(before - after)}")
            if after - before and not old.get(GROWS):
                yield Break(path, "reader", f"may now be {_listed(after - before)}")

    def _fields(self, old: Schema, new: Schema, path: str) -> Iterator[Break]:
        before, after = old.get("properties", {}), new.get("properties", {})
        must_before, must_after = set(old.get("required", ())), set(new.get("required", ()))
        for name in before:
            at = _joined(path, name)
            if name not in after:
                yield Break(at, "reader", "is gone or has another name")
                continue
            if name in must_before - must_after:
                yield Break(at, "reader", "may now be missing")
            if name in must_after - must_before:
                yield Break(at, "writer", "must now be there")
            yield from self.compare(before[name], after[name], at)
        for name in after.keys() - before.keys():
            if name in must_after or "default" not in after[name]:
                yield Break(_joined(path, name), "writer", "is new and has no default")

    def _parts(self, old: Schema, new: Schema, path: str) -> Iterator[Break]:
        """Compare what a list or a mapping holds."""
        for word, mark in (("items", "[]"), ("additionalProperties", "{}")):
            before, after = old.get(word), new.get(word)
            if isinstance(before, dict) and isinstance(after, dict):
                yield from self.compare(before, after, path + mark)
            elif before != after:
                yield Break(path + mark, "reader", "holds something else")


def _limits(old: Schema, new: Schema, path: str) -> Iterator[Break]:
    """Compare everything else that narrows a value. What this check has no word for may not change at all."""
    for word in sorted((old.keys() | new.keys()) - {*_COMPARED_APART, *_FOR_PEOPLE}):
        before, after = old.get(word), new.get(word)
        if before == after:
            continue
        if word in (*_UPPER, *_LOWER):
            at_least = float("inf") if word in _UPPER else float("-inf")
            rose = (at_least if after is None else after) > (at_least if before is None else before)
            hurts: Literal["reader", "writer"] = "reader" if rose == (word in _UPPER) else "writer"
            yield Break(path, hurts, f"has the {word} {after}, and had {before}")
        else:
            yield Break(path, "writer" if before is None else "reader", f"has the {word} {after}, and had {before}")


def _alternatives(node: Schema, definitions: Mapping[str, Schema]) -> dict[str, Schema]:
    """The forms that a value may have, each under its tag, such as `kind=bill`, or else its type."""
    if "$ref" in node:
        return _alternatives(definitions[node["$ref"].removeprefix("#/$defs/")], definitions)
    found: dict[str, Schema] = {}
    branches = [branch for word in ("anyOf", "oneOf") for branch in node.get(word, ())]
    for branch in branches:
        for name, form in _alternatives(branch, definitions).items():
            if name in found:
                raise ValueError(f"two alternatives of one schema are both {name}")
            found[name] = form
    return found or {_name(node): node}


def _name(node: Schema) -> str:
    tags = [f"{name}={node['properties'][name]['const']}" for name in tags_of(node)]
    kind = node.get("type", "anything")
    if not isinstance(kind, str):
        raise ValueError("a schema has a list of types")  # noqa: TRY004 the value is the schema
    return ", ".join(tags) or kind


def _grows(node: Schema, definitions: Mapping[str, Schema]) -> bool:
    """Whether one of its forms may get company; `null` beside it changes nothing."""
    if "$ref" in node:
        return _grows(definitions[node["$ref"].removeprefix("#/$defs/")], definitions)
    branches = [branch for word in ("anyOf", "oneOf") for branch in node.get(word, ())]
    return bool(node.get(GROWS)) or any(_grows(branch, definitions) for branch in branches)


def _enumerated(node: Schema) -> frozenset[Any] | None:
    if "const" in node:
        return frozenset({node["const"]})
    return frozenset(node["enum"]) if "enum" in node else None


def _listed(values: frozenset[Any]) -> str:
    return ", ".join(sorted(map(repr, values)))


def _joined(path: str, name: str) -> str:
    return f"{path}{name}" if path.endswith(" ") else f"{path}.{name}"
