"""A person answers for an MCP client, and takes that back."""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from libs.contracts.consented import Consented
from libs.contracts.errors import Rejected
from services.auth.api.connecting import END_PATH, LIST_PATH, MCP_PATH, PROGRAMS_FORM
from services.auth.api.forms import form_of
from services.auth.api.pages import Pages, redirect, said, wants_json
from services.auth.api.visiting import Visiting
from services.auth.config import AuthSettings
from services.auth.domain.plain_words import plain_words
from services.auth.flow.connect import Connecting
from services.auth.flow.lend import Lending
from services.auth.flow.mcp_consent import McpConsents
from services.auth.flow.programs import Programs
from services.auth.flow.tickets import Tickets


class ProgramPages:
    """The handlers."""

    def __init__(
        self,
        pages: Pages,
        *,
        settings: AuthSettings,
        visiting: Visiting,
        tickets: Tickets,
        connecting: Connecting,
        lending: Lending,
        consents: McpConsents,
        programs: Programs,
    ) -> None:
        self._pages = pages
        self._settings = settings
        self._visiting = visiting
        self._tickets = tickets
        self._connecting = connecting
        self._lending = lending
        self._consents = consents
        self._programs = programs

    def routes(self) -> list[web.RouteDef]:
        """Their addresses."""
        return [
            web.get(MCP_PATH, self._consent),
            web.post(MCP_PATH, self._answer),
            web.post(END_PATH, self._end),
        ]

    async def _consent(self, request: web.Request) -> web.Response:
        workspace = await self._visiting.workspace_of(request)
        text = request.query.get("request", "")
        asked = await self._consents.request(text)
        if await self._lending.state(workspace, "xero") != "active":
            return redirect(await self._connecting.begin(workspace, "xero", request.rel_url.raw_path_qs))
        if self._settings.mcp_consent == "auto":
            return redirect(await self._consents.decide(workspace, text, allow=True))
        return self._pages.page(
            "consent.html",
            title="May this program read your Xero?",
            client_name=asked.client_name,
            redirect_host=asked.redirect_host,
            stays_here=asked.stays_here,
            document_host=asked.document_host,
            account_name=await self._lending.account_name(workspace, "xero"),
            lines=plain_words(asked.scopes),
            action=f"{self._settings.public_url}{MCP_PATH}",
            form=await self._consents.form_token(workspace, text),
        )

    async def _answer(self, request: web.Request) -> web.Response:
        workspace = await self._visiting.workspace_of(request)
        form = await form_of(request)
        allow = form.get("answer") == "allow"
        return redirect(await self._consents.answer(workspace, form.get("form", ""), allow=allow))

    async def _end(self, request: web.Request) -> web.Response:
        workspace = await self._visiting.workspace_of(request)
        form = await form_of(request)
        if await self._tickets.take(form.get("form", ""), "disconnect") != (workspace, PROGRAMS_FORM):
            raise Rejected("This page was sent before, or is too old. Open it again.", code="disconnect_form")
        try:
            consent = UUID(form.get("program", ""))
        except ValueError:
            raise Rejected("The page names no program. Open it again.", code="disconnect_form") from None
        await self._programs.end(Consented(workspace, consent))
        if wants_json(request):
            return said({"ended": str(consent)})
        return self._pages.page("ended.html", title="Ended", connections=f"{self._settings.public_url}{LIST_PATH}")
