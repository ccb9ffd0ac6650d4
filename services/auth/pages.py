"""The few pages of auth, in one calm template. Everything from outside is escaped."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

_PAGES: Final = Environment(
    loader=PackageLoader("services.auth"), autoescape=True, undefined=StrictUndefined, auto_reload=False
)

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""A page with a state or a grant in its address is neither kept nor told to others, and cannot be put into a frame
where somebody else draws over the button."""


def page(template: str, *, title: str, home_url: str, status: int = 200, **words: object) -> web.Response:
    """A page."""
    html = _PAGES.get_template(template).render(title=title, home_url=home_url, **words)
    return web.Response(text=html, content_type="text/html", status=status, headers=_HEADERS)


def redirect(address: str) -> web.Response:
    """Send the browser on, with a GET."""
    return web.Response(status=303, headers={**_HEADERS, "Location": address})
