"""Qonto's JSON, read without making a number of anything and without losing how it was written."""

from __future__ import annotations

import json
import re
from typing import Final, NoReturn, TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | bool | None"
Record: TypeAlias = dict[str, Json]
"""A JSON object; its numbers (`22.10`, `3`) are the text they were written in, never a float."""

_SPACE: Final = re.compile(r"[ \t\r\n]*")


class NotJson(ValueError):
    """The text is no JSON object: a proxy's or a login page, or an answer cut short."""


def _refuse_constant(name: str) -> NoReturn:
    raise NotJson(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_refuse_constant)


def object_in(body: bytes) -> Record:
    """The JSON object that is the whole body.

    Raises:
        NotJson: the body is anything else.
    """
    try:
        answer = _DECODER.decode(body.decode())
    except (ValueError, RecursionError):
        raise NotJson("the body is no JSON") from None
    if not isinstance(answer, dict):
        raise NotJson("the body is JSON, but no object")
    return answer


def verbatim(body: bytes, key: str) -> list[tuple[Record, str]]:
    """The objects under a member of the body's top level, each with the text it was written in.

    The member holds one object or a list of them; entries that are no objects are left out, and a missing member is an
    empty list. Given a body that `object_in` has read.

    Raises:
        NotJson: the body is no JSON object.
    """
    text = body.decode()
    try:
        start = _start_of_member(text, key)
        return [] if start is None else _objects_at(text, start)
    except (IndexError, ValueError, RecursionError):
        raise NotJson("the body is no JSON object") from None


def _start_of_member(text: str, key: str) -> int | None:
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        if name == key:
            return at
        _, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return None


def _objects_at(text: str, at: int) -> list[tuple[Record, str]]:
    if text[at] != "[":
        value, end = _DECODER.raw_decode(text, at)
        return [(value, text[at:end])] if isinstance(value, dict) else []
    found: list[tuple[Record, str]] = []
    at = _skip(text, at + 1)
    while text[at] != "]":
        value, end = _DECODER.raw_decode(text, at)
        if isinstance(value, dict):
            found.append((value, text[at:end]))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at
