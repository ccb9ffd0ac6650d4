"""What a browser's form carries, read strictly: each word once, in UTF-8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from libs.contracts.errors import Rejected

FORM_MAX_BYTES: Final = 16_384
"""Bytes. The largest real form has a token of 76 characters and an account's id: under 1 KB."""

FIELDS_MAX: Final = 16
"""Words of one form. The richest has two."""

_FORM_TYPE: Final = "application/x-www-form-urlencoded"


async def form_of(request: web.Request) -> Mapping[str, str]:
    """The words of a form that was posted.

    aiohttp's own reading answers 500 to a body in no text encoding, or in parts that do not fit.

    Raises:
        Rejected: `form` when it is none of ours.
        web.HTTPRequestEntityTooLarge: It has more than `FORM_MAX_BYTES`.
    """
    try:
        body = await request.read()
        pairs = parse_qsl(
            body.decode("ascii"),  # a browser writes every other letter as %XX
            keep_blank_values=True,
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except (web.RequestPayloadError, ValueError):
        raise _unreadable() from None
    words = dict(pairs)
    if request.content_type != _FORM_TYPE or len(words) < len(pairs):
        raise _unreadable()
    return words


def _unreadable() -> Rejected:
    return Rejected("This form cannot be read. Open the page again and send it from there.", code="form")
