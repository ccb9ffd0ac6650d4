"""Auth for browsers as an application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from services.auth.api.pages import Pages

BODY_MAX_BYTES: Final = 16_384
"""Bytes. The largest body is a form with one token of 80 characters."""


def application(pages: Pages, *routes: Sequence[web.RouteDef]) -> web.Application:
    """The application, for a server or as a part of another application at its root."""
    app = web.Application(middlewares=[pages.errors_are_pages], client_max_size=BODY_MAX_BYTES)
    for some in routes:
        app.add_routes(some)
    return app
