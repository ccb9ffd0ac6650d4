"""Who a browser acts for: sign-in links and sessions."""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from libs.auth_client.wire import SESSION_COOKIE
from libs.contracts.errors import Rejected
from services.auth.api.pages import Pages, redirect
from services.auth.config import AuthSettings
from services.auth.domain.consent import Visit
from services.auth.flow.tickets import Tickets


class Visiting:
    """The sessions of browsers."""

    def __init__(self, settings: AuthSettings, tickets: Tickets, pages: Pages) -> None:
        self._settings = settings
        self._tickets = tickets
        self._pages = pages

    def routes(self) -> list[web.RouteDef]:
        """Its one address; a mail server that looks at a link (HEAD) does not spend it."""
        return [web.get("/sign-in", self._sign_in, allow_head=False)]

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
        return (await self._seen(session))[0]

    async def loopback_of(self, request: web.Request) -> str | None:
        """Where the command waits that made this browser's sign-in link, if one did."""
        return (await self._seen(request.cookies.get(SESSION_COOKIE, "")))[1].loopback

    async def _seen(self, session: str) -> tuple[UUID, Visit]:
        seen = await self._tickets.see(session, "session")
        if seen is not None:
            return seen[0], Visit.from_bytes(seen[1])
        if self._settings.sign_in == "open" and self._settings.open_workspace is not None:
            return self._settings.open_workspace, Visit()
        raise Rejected("You are not signed in. Open the sign-in link that Well gave you.", code="no_session")

    async def _sign_in(self, request: web.Request) -> web.Response:
        taken = await self._tickets.take(request.query.get("ticket", ""), "sign_in")
        if taken is None:
            sentence = "This sign-in link was used already, or is too old. Ask Well for a new one."
            raise Rejected(sentence, code="no_session")
        workspace, visit = taken[0], Visit.from_bytes(taken[1])
        session = await self._tickets.issue(workspace, "session", taken[1])
        response = redirect(visit.go_on) if visit.go_on is not None else self._pages.home()
        secure = self._settings.public_url.startswith("https:")
        response.set_cookie(SESSION_COOKIE, session.text, httponly=True, samesite="Lax", secure=secure, path="/")
        return response
