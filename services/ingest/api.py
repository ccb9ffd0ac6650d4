"""HTTP in: a person connects Xero.

```
GET /ingest/connect/xero       to the MCP server's page of consent
GET /ingest/oauth/callback     where the browser comes back to
```
"""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from typing import Final

from aiohttp import web

from libs.auth_client.wire import SESSION_COOKIE
from libs.contracts.errors import Transient, WellError
from services.ingest.adapters.mcp_consent import Consents
from services.ingest.flow.connect import Departures
from services.ingest.ports import Visitors

CALLBACK_PATH: Final = "/ingest/oauth/callback"

CONNECT_PATH: Final = "/ingest/connect/xero"

_PAGE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Well</title><body><p role="status">{said}</p></body>'
)
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'",
}


def application(consents: Consents, departures: Departures, visitors: Visitors) -> web.Application:
    """Both pages."""
    app = callback_only(consents)

    async def connect(request: web.Request) -> web.Response:
        try:
            workspace = await visitors.visitor(request.cookies.get(SESSION_COOKIE, ""))
            address = await departures.begin(workspace)
        except WellError as error:
            later = isinstance(error, Transient)
            return _page(escape(error.sentence), HTTPStatus.SERVICE_UNAVAILABLE if later else HTTPStatus.FORBIDDEN)
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={**_HEADERS, "Location": address})

    app.router.add_get(CONNECT_PATH, connect)
    return app


def callback_only(consents: Consents) -> web.Application:
    """The callback `?code&state&iss`, or `?error&state` when the person said no."""

    async def callback(request: web.Request) -> web.Response:
        query = request.query
        known = consents.come_back(query.get("state", ""), code=query.get("code"), iss=query.get("iss"))
        if not known:
            return _page("This consent is not, or no longer, under way. Start again.", HTTPStatus.BAD_REQUEST)
        if "code" not in query:
            return _page("Xero was not connected. You can close this window.", HTTPStatus.OK)
        return _page("Xero is connected to Well. You can close this window.", HTTPStatus.OK)

    app = web.Application()
    app.router.add_get(CALLBACK_PATH, callback)
    return app


def _page(said: str, status: HTTPStatus) -> web.Response:
    return web.Response(text=_PAGE.format(said=said), status=status, content_type="text/html", headers=_HEADERS)
