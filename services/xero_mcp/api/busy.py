"""What a client hears when something of ours does not answer: come back, and when."""

from __future__ import annotations

from http import HTTPStatus
from math import ceil
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from libs.contracts.errors import Transient

BUSY_SECONDS: Final = 5.0
"""Seconds that a client is asked to wait when nobody said how long: a database that starts anew takes as long."""


def retry_after(error: Transient) -> dict[str, str]:
    """The header that says when."""
    return {"Retry-After": str(ceil(error.retry_after_seconds or BUSY_SECONDS))}


class Unavailable:
    """Answers 503 where nobody can say whether a token is good: that is neither yes nor no."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on. Tools tell their own failures, so one that gets here comes before any answer."""
        try:
            await self._app(scope, receive, send)
        except Transient as error:
            busy = PlainTextResponse(error.sentence, HTTPStatus.SERVICE_UNAVAILABLE, retry_after(error))
            await busy(scope, receive, send)
