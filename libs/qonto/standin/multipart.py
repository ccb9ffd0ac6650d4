"""Reading a multipart body as Qonto is believed to: parts in order of arrival, grouped as Rack groups them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import unquote

from aiohttp import BodyPartReader, web

from libs.qonto.standin.answers import Refusal

REQUEST_MAX_BYTES: Final = 15_000_000
"""Bytes a request. Source: docs.qonto.com, "Create supplier invoices", older edition."""

READ_PAST_MAX_BYTES: Final = 64_000_000
"""Bytes of a body that is too large, read before it is refused; four times what is allowed."""

PARTS_MAX: Final = 1_000
"""Parts a request; far above three for each of twenty invoices."""

_ESCAPE: Final = re.compile(r"%[0-9a-fA-F]{2}")
_PREFIX: Final = "supplier_invoices[]["


@dataclass(frozen=True)
class Part:
    """A part of the request: a plain field when it has no file name."""

    name: str
    file_name: str | None
    content: bytes

    @property
    def text(self) -> str:
        """The content of a plain field."""
        return self.content.decode(errors="replace")


Item: TypeAlias = dict[str, Part]
"""One invoice's parts by their inner names: `file`, `attachment_id`, `idempotency_key`."""


def grouped(parts: Sequence[Part]) -> list[Item]:
    """Group `supplier_invoices[][x]` by order of arrival, as Rack does.

    A part belongs to the last group, unless that group has a part of its name already: then a new group begins.
    Source: Rack 2.2, `QueryParser#normalize_params`; that Qonto's server groups alike is inferred.

    Raises:
        Refusal: 400 when the parts make a hash instead (`supplier_invoices[0][file]`).
    """
    groups: list[Item] = []
    for part in parts:
        if not part.name.startswith("supplier_invoices"):
            continue
        inner = part.name.removeprefix(_PREFIX).removesuffix("]")
        if part.name != f"{_PREFIX}{inner}]" or not inner:
            raise Refusal(400, "invalid", "supplier_invoices is not an array", {"pointer": "/supplier_invoices"})
        if not groups or inner in groups[-1]:
            groups.append({})
        groups[-1][inner] = part
    return groups


async def parts_of(request: web.Request) -> list[Part]:
    """The parts of the request, in order of arrival.

    Raises:
        Refusal: 400 when it is no multipart, is cut short, or is larger than `REQUEST_MAX_BYTES`.
    """
    if request.content_length is not None and request.content_length > REQUEST_MAX_BYTES:
        await _read_past(request)
        raise Refusal(400, "invalid", "Total size of the request cannot exceed 15MB")
    if request.content_type != "multipart/form-data":
        raise Refusal(400, "invalid", "The body must be multipart/form-data")
    parts: list[Part] = []
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or len(parts) >= PARTS_MAX:
                raise Refusal(400, "invalid", "The parts cannot be read")
            content = bytes(await part.read())
            parts.append(Part(part.name or "", _file_name(part.filename), content))
    except ValueError:
        raise Refusal(400, "invalid", "The parts cannot be read") from None
    return parts


async def _read_past(request: web.Request) -> None:
    """Read what is not wanted, up to `READ_PAST_MAX_BYTES`, so that the caller is done sending and hears the answer."""
    read = 0
    async for chunk in request.content.iter_any():
        read += len(chunk)
        if read > READ_PAST_MAX_BYTES:
            return


def _file_name(told: str | None) -> str | None:
    """The name as Rack reads it: percent-decoded when every percent sign begins an escape, and without its path."""
    if told is None:
        return None
    escapes = told.count("%") == len(_ESCAPE.findall(told))
    return re.split(r"[/\\]", unquote(told) if escapes else told)[-1]
