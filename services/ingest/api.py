"""HTTP in: a person connects Xero.

```
GET /ingest/connect/xero       to the MCP server's page of consent
GET /ingest/oauth/callback     where the same browser comes back to
GET /ingest/oauth/client.json  who we are, for authorization servers that read such documents
```
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from html import escape
from http import HTTPStatus
from typing import Final
from uuid import UUID

from aiohttp import web

from libs.auth_client.wire import SESSION_COOKIE
from libs.contracts.errors import Transient, WellError
from services.ingest.adapters.mcp_consent import CONNECTED, Consents
from services.ingest.flow.connect import Departures
from services.ingest.ports import Visitors

CALLBACK_PATH: Final = "/ingest/oauth/callback"

CLIENT_DOCUMENT_PATH: Final = "/ingest/oauth/client.json"

CONNECT_PATH: Final = "/ingest/connect/xero"

_PAGE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Well</title><body><p role="status">{said}</p></body>'
)
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'",
}


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(consents: Consents, departures: Departures, visitors: Visitors) -> web.Application:
    """All pages. The browser that comes back must be signed in for the workspace it left for."""

    async def connect(request: web.Request) -> web.Response:
        address = await departures.begin(await visitor(request))
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={**_HEADERS, "Location": address})

    async def callback(request: web.Request) -> web.Response:
        return await _come_back(consents, request, await visitor(request))

    async def document(_: web.Request) -> web.Response:
        return web.json_response(consents.identity.document())

    async def visitor(request: web.Request) -> UUID:
        return await visitors.visitor(request.cookies.get(SESSION_COOKIE, ""))

    app = web.Application()
    app.router.add_get(CONNECT_PATH, _paged(connect), allow_head=False)  # HEAD begins and ends no consent
    app.router.add_get(CALLBACK_PATH, _paged(callback), allow_head=False)
    if consents.identity.document_url is not None:
        app.router.add_get(CLIENT_DOCUMENT_PATH, document)
    return app


def callback_only(consents: Consents, workspace: UUID) -> web.Application:
    """The callback, for a browser on the machine that waits for it, for one workspace and for nobody else."""

    async def callback(request: web.Request) -> web.Response:
        return await _come_back(consents, request, workspace)

    app = web.Application()
    app.router.add_get(CALLBACK_PATH, _paged(callback), allow_head=False)
    return app


async def _come_back(consents: Consents, request: web.Request, workspace: UUID) -> web.Response:
    """`?code&state&iss`, or `?error&state`, which is the person's no only where it is `access_denied`."""
    query = request.query
    code: str | None = "" if "error" in query else query.get("code", "")
    if query.get("error") == "access_denied":
        code = None
    ending = await consents.come_back(workspace, query.get("state", ""), code=code, iss=query.get("iss"))
    if ending is None:
        return _page("This consent is not, or no longer, under way. Start again.", HTTPStatus.BAD_REQUEST)
    return _page(escape(ending), HTTPStatus.OK if ending == CONNECTED else HTTPStatus.BAD_REQUEST)


def _paged(handler: Handler) -> Handler:
    """The handler, whose errors are pages. No middleware: another application may take over the routes alone."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except WellError as error:
            later = isinstance(error, Transient)
            return _page(escape(error.sentence), HTTPStatus.SERVICE_UNAVAILABLE if later else HTTPStatus.FORBIDDEN)

    return answer


def _page(said: str, status: HTTPStatus) -> web.Response:
    return web.Response(text=_PAGE.format(said=said), status=status, content_type="text/html", headers=_HEADERS)
