"""HTTP in: the figures of the workspace of whoever asks.

```
GET /insights?hours=24      the last hours, 1 to 168
```
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final

import orjson
from aiohttp import web

from libs.auth_client.wire import SESSION_COOKIE
from libs.contracts.errors import Malformed, Transient, WellError
from services.insights.domain.tally import KEPT_HOURS
from services.insights.flow.read_model import ReadModel
from services.insights.ports import Visitors

PATH: Final = "/insights"

_DAY_HOURS: Final = 24
"""Hours that are shown when nobody says how many."""

_NUMBER: Final = re.compile(r"[0-9]{1,3}")

_HEADERS: Final = {"Cache-Control": "no-store"}


def application(model: ReadModel, visitors: Visitors) -> web.Application:
    """The one address. Nobody can name a workspace: it is the one that the browser's session opens."""

    async def figures(request: web.Request) -> web.Response:
        try:
            workspace = await visitors.visitor(request.cookies.get(SESSION_COOKIE, ""))
            told = model.shown(workspace, _hours(request.query.get("hours", str(_DAY_HOURS))))
        except WellError as error:
            return _said({"sentence": error.sentence}, _status(error))
        return _said(told, HTTPStatus.OK)

    app = web.Application()
    app.router.add_get(PATH, figures)
    return app


def _hours(text: str) -> int:
    hours = int(text) if _NUMBER.fullmatch(text) else 0
    if not 1 <= hours <= KEPT_HOURS:
        raise Malformed(f"hours is a number from 1 to {KEPT_HOURS}.", code="hours")
    return hours


def _status(error: WellError) -> HTTPStatus:
    if isinstance(error, Transient):
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.BAD_REQUEST if isinstance(error, Malformed) else HTTPStatus.FORBIDDEN


def _said(told: object, status: HTTPStatus) -> web.Response:
    body = orjson.dumps(told, option=orjson.OPT_INDENT_2)
    return web.Response(body=body, status=status, content_type="application/json", headers=_HEADERS)
