"""A person answers for an MCP client."""

from __future__ import annotations

from aiohttp import web

from services.auth.api.connecting import MCP_PATH
from services.auth.api.forms import form_of
from services.auth.api.pages import Pages, redirect
from services.auth.api.visiting import Visiting
from services.auth.config import AuthSettings
from services.auth.domain.plain_words import plain_words
from services.auth.flow.connect import Connecting
from services.auth.flow.lend import Lending
from services.auth.flow.mcp_consent import McpConsents


class ProgramPages:
    """The handlers."""

    def __init__(
        self,
        pages: Pages,
        *,
        settings: AuthSettings,
        visiting: Visiting,
        connecting: Connecting,
        lending: Lending,
        consents: McpConsents,
    ) -> None:
        self._pages = pages
        self._settings = settings
        self._visiting = visiting
        self._connecting = connecting
        self._lending = lending
        self._consents = consents

    def routes(self) -> list[web.RouteDef]:
        """Their addresses."""
        return [web.get(MCP_PATH, self._consent), web.post(MCP_PATH, self._answer)]

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
