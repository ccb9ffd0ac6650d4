"""JSON whose decimals stay the text they were written in: `119.90` goes in and `119.90` comes out."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

import orjson

LARGEST_WHOLE: Final = 2**63
"""Whole numbers beyond it would not fit a column; no record of Xero has one."""


def loads(text: str | bytes) -> Any:  # noqa: ANN401 - JSON is any shape until it is looked at
    """Read JSON; a decimal becomes a fragment that `dumps` writes out unchanged.

    Raises:
        ValueError: the text is no JSON, or holds NaN, Infinity or a whole number beyond 64 bits.
    """
    return json.loads(text, parse_float=orjson.Fragment, parse_int=_whole, parse_constant=_refuse_constant)


def dumps(value: object) -> bytes:
    """Write JSON, compact, in the order of the keys.

    Raises:
        ValueError: a text is no Unicode: half of a surrogate pair, which JSON can spell and UTF-8 cannot.
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise ValueError(str(error)) from None


def _whole(text: str) -> int:
    number = int(text)
    if abs(number) >= LARGEST_WHOLE:
        raise ValueError("a whole number beyond 64 bits")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
