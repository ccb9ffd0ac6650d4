"""HTTP in: where a browser comes back to after a person consented at the MCP server."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from aiohttp import web

from services.ingest.adapters.mcp_consent import Consents

CALLBACK_PATH: Final = "/ingest/oauth/callback"

_PAGE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Well</title><body><p role="status">{said}</p></body>'
)
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'",
}


def application(consents: Consents) -> web.Application:
    """The callback of `GET /ingest/oauth/callback?code&state&iss`, or `?error&state` when the person said no."""

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
