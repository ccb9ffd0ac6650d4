"""Auth for browsers as an application."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from services.auth.api.forms import FORM_MAX_BYTES
from services.auth.api.pages import Pages


def application(pages: Pages, *routes: Sequence[web.RouteDef]) -> web.Application:
    """The application, for a server or as a part of another application at its root."""
    app = web.Application(middlewares=[pages.errors_are_pages], client_max_size=FORM_MAX_BYTES)
    for some in routes:
        app.add_routes(some)
    return app
