"""Changes of an event: fields before and after, and what they break."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model

_GROWING = {"x-grows": True}


class Square(BaseModel):
    """A form."""

    kind: Literal["square"] = "square"
    side: int


class Circle(BaseModel):
    """Another."""

    kind: Literal["circle"] = "circle"
    radius: int


class Oval(BaseModel):
    """A third."""

    kind: Literal["oval"] = "oval"
    width: int


class NarrowCircle(BaseModel):
    """The second, with a limit inside."""

    kind: Literal["circle"] = "circle"
    radius: Annotated[int, Field(le=9)]


def _limited(kind: type, **limits: int | str) -> tuple[Any, Any]:
    return Annotated[kind, Field(**limits)], ...


NO_CHANGE_FOR_ANYBODY = {
    "an optional field with a default": ({}, {"colour": (str, "black")}),
    "an optional field that may be null": ({}, {"colour": (str | None, None)}),
    "an optional field with limits": ({}, {"width": (Annotated[int, Field(ge=1)], 1)}),
    "a value more where values were said to grow": (
        {"ink": (Annotated[Literal["red"], Field(json_schema_extra=_GROWING)], ...)},
        {"ink": (Annotated[Literal["red", "blue"], Field(json_schema_extra=_GROWING)], ...)},
    ),
    "a variant more where variants were said to grow": (
        {"form": (Annotated[Square | Circle, Field(discriminator="kind", json_schema_extra=_GROWING)], ...)},
        {"form": (Annotated[Square | Circle | Oval, Field(discriminator="kind", json_schema_extra=_GROWING)], ...)},
    ),
    "an order of variants": (
        {"form": (Annotated[Square | Circle, Field(discriminator="kind")], ...)},
        {"form": (Annotated[Circle | Square, Field(discriminator="kind")], ...)},
    ),
    "words for people": (
        {"width": (Annotated[int, Field(description="In millimetres.")], ...)},
        {"width": (Annotated[int, Field(description="Millimetres.", title="Breadth")], ...)},
    ),
    "a promise not to grow any more": (
        {"ink": (Annotated[Literal["red"], Field(json_schema_extra=_GROWING)], ...)},
        {"ink": (Literal["red"], ...)},
    ),
}

CHANGES_THAT_BREAK = {
    "a field removed": ({"width": (int, ...)}, {}, "payload.width is gone or has another name", "reader"),
    "an optional field removed": ({"width": (int, 1)}, {}, "payload.width is gone or has another name", "reader"),
    "a field renamed": (
        {"width": (int, 1)},
        {"breadth": (int, 1)},
        "payload.width is gone or has another name",
        "reader",
    ),
    "a new required field": ({}, {"width": (int, ...)}, "payload.width is new and has no default", "writer"),
    "a field that must now be there": (
        {"width": (int, 1)},
        {"width": (int, ...)},
        "payload.width must now be there",
        "writer",
    ),
    "a field that may now be missing": (
        {"width": (int, ...)},
        {"width": (int, 1)},
        "payload.width may now be missing",
        "reader",
    ),
    "another type": ({"width": (int, ...)}, {"width": (str, ...)}, "payload.width may no longer be integer", "writer"),
    "a narrower type": (
        {"width": (float, ...)},
        {"width": (int, ...)},
        "payload.width may no longer be number",
        "writer",
    ),
    "null no longer allowed": (
        {"width": (int | None, ...)},
        {"width": (int, ...)},
        "payload.width may no longer be null",
        "writer",
    ),
    "null allowed": ({"width": (int, ...)}, {"width": (int | None, ...)}, "payload.width may now be null", "reader"),
    "a value of an enumeration gone": (
        {"ink": (Literal["red", "blue"], ...)},
        {"ink": (Literal["red"], ...)},
        "payload.ink may no longer be 'blue'",
        "writer",
    ),
    "a value that grew and is gone": (
        {"ink": (Annotated[Literal["red", "blue"], Field(json_schema_extra=_GROWING)], ...)},
        {"ink": (Annotated[Literal["red"], Field(json_schema_extra=_GROWING)], ...)},
        "payload.ink may no longer be 'blue'",
        "writer",
    ),
    "a value more that nobody was told of": (
        {"ink": (Literal["red"], ...)},
        {"ink": (Literal["red", "blue"], ...)},
        "payload.ink may now be 'blue'",
        "reader",
    ),
    "growth that nobody was told of": (
        {"ink": (Literal["red"], ...)},
        {"ink": (Annotated[Literal["red"], Field(json_schema_extra=_GROWING)], ...)},
        "payload.ink may now grow, which nobody was told",
        "reader",
    ),
    "free text that becomes an enumeration": (
        {"ink": (str, ...)},
        {"ink": (Literal["red"], ...)},
        "payload.ink may only be one of 'red'",
        "writer",
    ),
    "an enumeration that becomes free text": (
        {"ink": (Literal["red", "blue"], ...)},
        {"ink": (str, ...)},
        "payload.ink may now be anything of its type",
        "reader",
    ),
    "a maximum lowered": (
        {"width": _limited(int, le=9)},
        {"width": _limited(int, le=8)},
        "payload.width has the maximum 8, and had 9",
        "writer",
    ),
    "a maximum that was not there": (
        {"width": (int, ...)},
        {"width": _limited(int, le=8)},
        "payload.width has the maximum 8, and had None",
        "writer",
    ),
    "a maximum raised": (
        {"width": _limited(int, le=9)},
        {"width": _limited(int, le=10)},
        "payload.width has the maximum 10, and had 9",
        "reader",
    ),
    "a minimum raised": (
        {"width": _limited(int, ge=1)},
        {"width": _limited(int, ge=2)},
        "payload.width has the minimum 2, and had 1",
        "writer",
    ),
    "a minimum gone": (
        {"width": _limited(int, ge=1)},
        {"width": (int, ...)},
        "payload.width has the minimum None, and had 1",
        "reader",
    ),
    "a text that must be shorter": (
        {"name": _limited(str, max_length=500)},
        {"name": _limited(str, max_length=255)},
        "payload.name has the maxLength 255, and had 500",
        "writer",
    ),
    "a list that must be shorter": (
        {"names": (Annotated[tuple[str, ...], Field(max_length=12)], ...)},
        {"names": (Annotated[tuple[str, ...], Field(max_length=6)], ...)},
        "payload.names has the maxItems 6, and had 12",
        "writer",
    ),
    "another pattern": (
        {"name": _limited(str, pattern="^[a-z]+$")},
        {"name": _limited(str, pattern="^[a-y]+$")},
        "payload.name has the pattern ^[a-y]+$, and had ^[a-z]+$",
        "reader",
    ),
    "a pattern that was not there": (
        {"name": (str, ...)},
        {"name": _limited(str, pattern="^[a-z]+$")},
        "payload.name has the pattern ^[a-z]+$, and had None",
        "writer",
    ),
    "another default": (
        {"width": (int, 1)},
        {"width": (int, 2)},
        "payload.width has another default, and a message that left it out would be read otherwise",
        "writer",
    ),
    "something else in a list": (
        {"names": (tuple[str, ...], ...)},
        {"names": (tuple[int, ...], ...)},
        "payload.names[] may no longer be string",
        "writer",
    ),
    "something else in a mapping": (
        {"names": (dict[str, int], ...)},
        {"names": (dict[str, str], ...)},
        "payload.names{} may no longer be integer",
        "writer",
    ),
    "a limit inside a list": (
        {"names": (tuple[Annotated[str, Field(max_length=9)], ...], ...)},
        {"names": (tuple[Annotated[str, Field(max_length=8)], ...], ...)},
        "payload.names[] has the maxLength 8, and had 9",
        "writer",
    ),
    "a limit inside a variant": (
        {"form": (Annotated[Square | Circle, Field(discriminator="kind")], ...)},
        {"form": (Annotated[Square | NarrowCircle, Field(discriminator="kind")], ...)},
        "payload.form.radius has the maximum 9, and had None",
        "writer",
    ),
    "a variant gone": (
        {"form": (Annotated[Square | Circle | Oval, Field(discriminator="kind")], ...)},
        {"form": (Annotated[Square | Circle, Field(discriminator="kind")], ...)},
        "payload.form may no longer be kind=oval",
        "writer",
    ),
    "a variant more that nobody was told of": (
        {"form": (Annotated[Square | Circle, Field(discriminator="kind")], ...)},
        {"form": (Annotated[Square | Circle | Oval, Field(discriminator="kind")], ...)},
        "payload.form may now be kind=oval",
        "reader",
    ),
    "null beside variants that grow": (
        {"form": (Annotated[Square | Circle, Field(discriminator="kind", json_schema_extra=_GROWING)], ...)},
        {"form": (Annotated[Square | Circle, Field(discriminator="kind", json_schema_extra=_GROWING)] | None, ...)},
        "payload.form may now be null",
        "reader",
    ),
    "a tag that says something else": (
        {"form": (Square, ...)},
        {"form": (create_model("Square", kind=(Literal["box"], "box"), side=(int, ...)), ...)},
        "payload.form may no longer be kind=square",
        "writer",
    ),
}
