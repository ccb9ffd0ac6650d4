"""Pages and redirects: how anything looks that auth says to a browser."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from libs.contracts.errors import ConsentLost, Rejected, Transient, WellError

_TEMPLATES: Final = Environment(
    loader=PackageLoader("services.auth"), autoescape=True, undefined=StrictUndefined, auto_reload=False
)

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""A page with a state or a grant in its address is neither kept nor told to others, and cannot be put into a frame
where somebody else draws over the button."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Pages:
    """The pages, each of which leads back home."""

    def __init__(self, home_url: str) -> None:
        self._home_url = home_url

    def page(self, template: str, *, title: str, status: int = HTTPStatus.OK, **words: object) -> web.Response:
        """A page."""
        html = _TEMPLATES.get_template(template).render(title=title, home_url=self._home_url, **words)
        return web.Response(text=html, content_type="text/html", status=status, headers=HEADERS)

    def home(self) -> web.Response:
        """Send the browser home."""
        return redirect(self._home_url)

    @web.middleware
    async def errors_are_pages(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Whatever fails is a page with a sentence."""
        try:
            return await handler(request)
        except WellError as error:
            log = structlog.get_logger()
            log.info("auth.refused_visit", path=request.path, error=type(error).__name__, why=error.sentence)
            return self._failed(request, error.sentence, status_of(error))
        except web.HTTPException as error:
            sentence = "There is no such page." if error.status == HTTPStatus.NOT_FOUND else error.reason
            return self._failed(request, sentence, error.status)

    def _failed(self, request: web.Request, sentence: str, status: int) -> web.Response:
        if wants_json(request):
            return said({"sentence": sentence}, status)
        return self.page("page.html", title="That did not work", sentence=sentence, status=status)


def status_of(error: WellError) -> int:
    """The HTTP status beside an error's sentence."""
    if isinstance(error, Transient):
        return HTTPStatus.SERVICE_UNAVAILABLE
    if isinstance(error, ConsentLost) or (isinstance(error, Rejected) and error.code == "no_session"):
        return HTTPStatus.FORBIDDEN
    return HTTPStatus.BAD_REQUEST


def wants_json(request: web.Request) -> bool:
    """Whether a program asks, and no browser."""
    return "application/json" in request.headers.get("Accept", "")


def said(words: object, status: int = HTTPStatus.OK) -> web.Response:
    """An answer for a program."""
    return web.json_response(words, status=status, headers={"Cache-Control": HEADERS["Cache-Control"]})


def redirect(address: str) -> web.Response:
    """Send the browser on, with a GET."""
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={**HEADERS, "Location": address})
