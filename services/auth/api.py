"""Auth for browsers: sign in, connect a provider, answer for an MCP client.

```
GET  /sign-in?ticket=T                 a session cookie, then home
GET  /connect/{xero|qonto}             to the provider's page; `return_to=/path` comes back there
GET  /connect/{xero|qonto}/callback    what was granted, in plain words
GET  /consents/mcp?request=R           the consent page of an MCP client
POST /consents/mcp                     its answer
```

Every error is a small page with a sentence and a status: 400 it does not fit, 403 no session, 404, 503 later.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final
from uuid import UUID

import structlog
from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from libs.auth_client.wire import SESSION_COOKIE
from libs.contracts.errors import ConsentLost, Rejected, Transient, WellError
from libs.contracts.identity import Provider
from services.auth.config import AuthSettings
from services.auth.domain.connection import TITLES
from services.auth.domain.plain_words import plain_words
from services.auth.flow.connect import Connecting
from services.auth.flow.lend import Lending
from services.auth.flow.mcp_consent import McpConsents
from services.auth.flow.tickets import Tickets

BODY_MAX_BYTES: Final = 16_384
"""Bytes. The largest body is a form with one token of 80 characters."""

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

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class AuthPages:
    """The handlers."""

    def __init__(
        self,
        settings: AuthSettings,
        *,
        tickets: Tickets,
        connecting: Connecting,
        lending: Lending,
        consents: McpConsents,
        providers: tuple[Provider, ...],
    ) -> None:
        self._settings = settings
        self._tickets = tickets
        self._connecting = connecting
        self._lending = lending
        self._consents = consents
        self._providers = providers

    def app(self) -> web.Application:
        """The application, for a server or as a part of another application at its root."""
        app = web.Application(middlewares=[self._errors_are_pages], client_max_size=BODY_MAX_BYTES)
        app.router.add_get("/sign-in", self._sign_in)
        app.router.add_get("/connect/{provider}", self._connect)
        app.router.add_get("/connect/{provider}/callback", self._callback)
        app.router.add_get("/consents/mcp", self._mcp_consent)
        app.router.add_post("/consents/mcp", self._mcp_answer)
        return app

    async def workspace_of(self, request: web.Request) -> UUID:
        """The workspace of a browser's session.

        Raises:
            Rejected: `no_session`.
        """
        return await self.visitor(request.cookies.get(SESSION_COOKIE, ""))

    async def visitor(self, session: str) -> UUID:
        """The workspace that a session opens, as its cookie carries it.

        Raises:
            Rejected: `no_session`.
        """
        seen = await self._tickets.see(session, "session")
        if seen is not None:
            return seen[0]
        if self._settings.sign_in == "open" and self._settings.open_workspace is not None:
            return self._settings.open_workspace
        raise Rejected("You are not signed in. Open the sign-in link that Well gave you.", code="no_session")

    async def _sign_in(self, request: web.Request) -> web.Response:
        taken = await self._tickets.take(request.query.get("ticket", ""), "sign_in")
        if taken is None:
            sentence = "This sign-in link was used already, or is too old. Ask Well for a new one."
            raise Rejected(sentence, code="no_session")
        session = await self._tickets.issue(taken[0], "session")
        response = redirect(self._settings.home_url)
        secure = self._settings.public_url.startswith("https:")
        response.set_cookie(SESSION_COOKIE, session.text, httponly=True, samesite="Lax", secure=secure, path="/")
        return response

    async def _connect(self, request: web.Request) -> web.Response:
        workspace = await self.workspace_of(request)
        provider = self._provider(request)
        return redirect(await self._connecting.begin(workspace, provider, request.query.get("return_to")))

    async def _callback(self, request: web.Request) -> web.Response:
        workspace = await self.workspace_of(request)
        provider, state = self._provider(request), request.query.get("state", "")
        if "error" in request.query:
            await self._connecting.give_up(workspace, provider, state=state)
            sentence = f"{TITLES[provider]} was not connected: the access was refused there. Nothing was changed."
            return self._page("page.html", title="Not connected", sentence=sentence, status=HTTPStatus.OK)
        granted = await self._connecting.finish(workspace, provider, state=state, code=request.query.get("code", ""))
        if granted.return_to is not None:
            return redirect(f"{self._settings.public_url}{granted.return_to}")
        return self._page(
            "granted.html",
            title="Connected",
            provider=TITLES[provider],
            account_name=granted.account.name,
            lines=plain_words(granted.scopes),
        )

    async def _mcp_consent(self, request: web.Request) -> web.Response:
        workspace = await self.workspace_of(request)
        text = request.query.get("request", "")
        asked = await self._consents.request(text)
        if await self._lending.state(workspace, "xero") != "active":
            return redirect(await self._connecting.begin(workspace, "xero", request.rel_url.raw_path_qs))
        if self._settings.mcp_consent == "auto":
            return redirect(await self._consents.decide(workspace, text, allow=True))
        return self._page(
            "consent.html",
            title="May this program read your Xero?",
            client_name=asked.client_name,
            redirect_host=asked.redirect_host,
            document_host=asked.document_host,
            lines=plain_words(asked.scopes),
            action=f"{self._settings.public_url}/consents/mcp",
            form=await self._consents.form_token(workspace, text),
        )

    async def _mcp_answer(self, request: web.Request) -> web.Response:
        workspace = await self.workspace_of(request)
        form = await request.post()
        allow = form.get("answer") == "allow"
        return redirect(await self._consents.answer(workspace, str(form.get("form", "")), allow=allow))

    @web.middleware
    async def _errors_are_pages(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except WellError as error:
            log = structlog.get_logger()
            log.info("auth.refused_visit", path=request.path, error=type(error).__name__, why=error.sentence)
            return self._page("page.html", title="That did not work", sentence=error.sentence, status=_status(error))
        except web.HTTPException as error:
            sentence = "There is no such page." if error.status == HTTPStatus.NOT_FOUND else error.reason
            return self._page("page.html", title="That did not work", sentence=sentence, status=error.status)

    def _provider(self, request: web.Request) -> Provider:
        for provider in self._providers:
            if provider == request.match_info["provider"]:
                return provider
        raise web.HTTPNotFound

    def _page(self, template: str, *, title: str, status: int = 200, **words: object) -> web.Response:
        return page(template, title=title, home_url=self._settings.home_url, status=status, **words)


def _status(error: WellError) -> int:
    if isinstance(error, Transient):
        return HTTPStatus.SERVICE_UNAVAILABLE
    if isinstance(error, ConsentLost) or (isinstance(error, Rejected) and error.code == "no_session"):
        return HTTPStatus.FORBIDDEN
    return HTTPStatus.BAD_REQUEST


def page(template: str, *, title: str, home_url: str, status: int = 200, **words: object) -> web.Response:
    """A page."""
    html = _PAGES.get_template(template).render(title=title, home_url=home_url, **words)
    return web.Response(text=html, content_type="text/html", status=status, headers=_HEADERS)


def redirect(address: str) -> web.Response:
    """Send the browser on, with a GET."""
    return web.Response(status=303, headers={**_HEADERS, "Location": address})
