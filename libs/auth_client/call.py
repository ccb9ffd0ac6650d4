"""One call to auth over HTTP, whoever makes it: bounded in time and size, and failing in auth's own errors."""

from __future__ import annotations

from typing import Final, TypeVar

import httpx
from pydantic import ValidationError

from libs.auth_client import wire
from libs.contracts.errors import Transient
from libs.contracts.model import Published

CALL_SECONDS: Final = 30.0
"""Seconds for one call. Auth may ask a provider for a new token meanwhile, which takes at most 25."""

CONNECT_SECONDS: Final = 3.0
"""Seconds to reach auth: it is in the same network, or down."""

ANSWER_MAX_BYTES: Final = 4 * 1024 * 1024
"""Bytes of an answer. The longest list of workspaces that auth gives has two megabytes."""

Answer = TypeVar("Answer", bound=Published)


async def answered(
    http: httpx.AsyncClient, method: str, url: str, *, bearer: str, body: Published | None = None
) -> bytes:
    """What auth answers.

    Raises:
        WellError: As auth says.
        Transient: Auth does not answer, or too much.
    """
    request = http.build_request(
        method,
        url,
        headers={"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"},
        content=None if body is None else body.model_dump_json(),
        timeout=httpx.Timeout(CALL_SECONDS, connect=CONNECT_SECONDS),
    )
    try:
        response = await http.send(request, stream=True, follow_redirects=False)
        try:
            content = await _bounded(response)
        finally:
            await response.aclose()
    except httpx.HTTPError as error:
        raise Transient(f"Auth does not answer ({type(error).__name__}).") from None
    if response.is_success:
        return content
    raise wire.error_of(answer_as(content, wire.Failure))


def answer_as(content: bytes, form: type[Answer]) -> Answer:
    """Read an answer. What is none comes from something else at auth's address: a proxy, or a process starting up.

    A field that this version does not know is passed over: auth may be upgraded first.

    Raises:
        Transient: It is none.
    """
    try:
        return form.model_validate_json(content, extra="ignore")
    except ValidationError:
        raise Transient("Something at auth's address gives answers that are none of auth's.") from None


async def _bounded(response: httpx.Response) -> bytes:
    content = bytearray()
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > ANSWER_MAX_BYTES:
            raise Transient("Auth's answer is longer than any of its answers can be.")
    return bytes(content)
