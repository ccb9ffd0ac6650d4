"""Where nobody can say whether a token is good, its client is told to come back."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from libs.contracts.errors import Transient
from services.xero_mcp.api.busy import BUSY_SECONDS, Unavailable


@pytest.mark.parametrize(("seconds", "told"), [(None, BUSY_SECONDS), (0.2, 1), (61, 61)])
async def test_a_token_that_cannot_be_looked_at_is_answered_503(seconds: float | None, told: float) -> None:
    async def nobody_knows(*_: object) -> None:
        raise Transient("The database does not answer.", retry_after_seconds=seconds)

    answer = await _asked(nobody_knows)
    assert (answer.status_code, answer.text) == (httpx.codes.SERVICE_UNAVAILABLE, "The database does not answer.")
    assert float(answer.headers["Retry-After"]) == told


async def test_what_is_answered_is_passed_on() -> None:
    async def answers(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    assert (await _asked(answers)).status_code == httpx.codes.NO_CONTENT


async def _asked(app: Any) -> httpx.Response:  # noqa: ANN401 an ASGI application
    async with httpx.AsyncClient(transport=httpx.ASGITransport(Unavailable(app)), base_url="http://mcp") as http:
        return await http.post("/mcp")
