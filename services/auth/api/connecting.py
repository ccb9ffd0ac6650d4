"""A person connects a provider, sees what is connected, and disconnects it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

from aiohttp import web

from libs.contracts.errors import Rejected, WellError
from libs.contracts.identity import Provider
from services.auth.api.forms import form_of
from services.auth.api.pages import HEADERS, Pages, redirect, said, wants_json
from services.auth.api.visiting import Visiting
from services.auth.config import AuthSettings
from services.auth.domain.connection import TITLES, Connection
from services.auth.domain.consent import PendingConsent
from services.auth.domain.plain_words import plain_words, said_of
from services.auth.domain.program import told
from services.auth.flow.connect import Connecting, Granted, ToChoose
from services.auth.flow.disconnect import Disconnecting
from services.auth.flow.listing import Listing
from services.auth.flow.mcp_consent import McpConsents
from services.auth.flow.programs import Programs
from services.auth.flow.tickets import Tickets

MCP_PATH: Final = "/consents/mcp"
"""The page of an MCP client's consent, which sends people here when Xero is not connected yet."""

LIST_PATH: Final = "/connections"
"""The page of everything that is connected, and of the programs that read."""

END_PATH: Final = "/programs/end"
"""Where the button beside a program leads."""

PROGRAMS_FORM: Final = b"programs"
"""What the forms beside the programs of a page stand for, all with one ticket."""

_STANDS: Final = {"active", "refused"}
"""States of a connection that a person need not connect again."""

_SWITCH: Final = {"on": True, "off": False}


class ConnectingPages:
    """The handlers."""

    def __init__(
        self,
        pages: Pages,
        *,
        settings: AuthSettings,
        visiting: Visiting,
        tickets: Tickets,
        connecting: Connecting,
        disconnecting: Disconnecting,
        listing: Listing,
        consents: McpConsents,
        programs: Programs,
        providers: tuple[Provider, ...],
    ) -> None:
        self._pages = pages
        self._settings = settings
        self._public_url = settings.public_url
        self._visiting = visiting
        self._tickets = tickets
        self._connecting = connecting
        self._disconnecting = disconnecting
        self._listing = listing
        self._consents = consents
        self._programs = programs
        self._providers = providers

    def routes(self) -> list[web.RouteDef]:
        """Their addresses. What spends a link or begins a consent is no answer to a program that only looks (HEAD)."""
        return [
            web.get("/connect/{provider}", self._connect, allow_head=False),
            web.get("/connect/{provider}/callback", self._callback, allow_head=False),
            web.post("/connect/{provider}/choice", self._choice),
            web.get(LIST_PATH, self._connections),
            web.post("/connections/{provider}/disconnect", self._disconnect),
        ]

    async def _connect(self, request: web.Request) -> web.Response:
        workspace, provider, query = await self._visiting.workspace_of(request), self._provider(request), request.query
        for_command = query.get("for") == "command"
        address = await self._connecting.begin(
            workspace,
            provider,
            query.get("return_to"),
            bank_matching=_SWITCH.get(query.get("bank_matching", "")),
            loopback=await self._visiting.loopback_of(request) if for_command else None,
        )
        return redirect(address)

    async def _callback(self, request: web.Request) -> web.Response:
        workspace, provider, query = await self._visiting.workspace_of(request), self._provider(request), request.query
        returned = await self._connecting.come_back(
            workspace, provider, state=query.get("state", ""), issuer=query.get("iss")
        )
        if query.get("error") == "access_denied":  # any other is the provider's trouble (RFC 6749, section 4.1.2.1)
            return await self._refused(workspace, returned.pending)
        code = "" if "error" in query else query.get("code", "")
        try:
            outcome = await self._connecting.finish(workspace, returned, code=code)
        except WellError as error:
            if returned.pending.loopback is None:
                raise
            return _to_command(returned.pending.loopback, outcome="failed", sentence=error.sentence)
        return self._to_choose(provider, outcome) if isinstance(outcome, ToChoose) else self._granted(outcome)

    async def _choice(self, request: web.Request) -> web.Response:
        workspace, provider, form = (
            await self._visiting.workspace_of(request),
            self._provider(request),
            await form_of(request),
        )
        token, account_id = form.get("choice", ""), form.get("account", "")
        return self._granted(await self._connecting.choose(workspace, provider, token=token, account_id=account_id))

    async def _refused(self, workspace: UUID, pending: PendingConsent) -> web.Response:
        """The person said no at the provider: whoever waits for the answer is told."""
        if pending.loopback is not None:
            return _to_command(pending.loopback, outcome="refused")
        if pending.return_to is not None and urlsplit(pending.return_to).path == MCP_PATH:
            asked = parse_qs(urlsplit(pending.return_to).query).get("request", [""])[0]
            return redirect(await self._consents.decide(workspace, asked, allow=False))
        sentence = f"{TITLES[pending.provider]} was not connected: the access was refused there. Nothing was changed."
        return self._pages.page("page.html", title="Not connected", sentence=sentence)

    def _to_choose(self, provider: Provider, choice: ToChoose) -> web.Response:
        return self._pages.page(
            "choice.html",
            title=f"Which organisation at {TITLES[provider]}?",
            provider=TITLES[provider],
            action=f"{self._public_url}/connect/{provider}/choice",
            choice=choice.token,
            accounts=choice.accounts,
        )

    def _granted(self, granted: Granted) -> web.Response:
        pending = granted.pending
        if pending.loopback is not None:
            return _to_command(pending.loopback, outcome="connected")
        if pending.return_to is not None:
            return redirect(f"{self._public_url}{pending.return_to}")
        return self._pages.page(
            "granted.html",
            title="Connected",
            provider=TITLES[pending.provider],
            account_name=granted.account.name,
            lines=plain_words(granted.scopes),
        )

    async def _connections(self, request: web.Request) -> web.Response:
        workspace = await self._visiting.workspace_of(request)
        entries = [await self._entry(workspace, each) for each in await self._listing.of(workspace)]
        programs = [told(each) for each in await self._programs.of(workspace)]
        form = (await self._tickets.issue(workspace, "disconnect", PROGRAMS_FORM)).text if programs else None
        if wants_json(request):
            return said({"connections": entries, "programs": programs, "programs_form": form})
        states = {str(entry["provider"]): str(entry["state"]) for entry in entries}
        missing = [each for each in self._providers if states.get(each) not in _STANDS]
        ways = [{"title": TITLES[each], "address": self._way_to(each, states.get(each))} for each in missing]
        unread = states.get("xero") in _STANDS and not programs
        if unread:  # what is missing there is Well's own consent, which ingest asks for
            ways.append({"title": TITLES["xero"], "address": self._settings.connect_xero_url})
        return self._pages.page(
            "connections.html",
            title="Connections",
            entries=entries,
            missing=ways,
            unread=unread,
            programs=programs,
            programs_form=form,
            end_program=f"{self._public_url}{END_PATH}",
            public_url=self._public_url,
        )

    def _way_to(self, provider: Provider, state: str | None) -> str | None:
        """Where a person connects a provider; None when auth does not know."""
        if provider == "xero" and state is None:
            return self._settings.connect_xero_url
        return f"{self._public_url}/connect/{provider}"

    async def _entry(self, workspace: UUID, connection: Connection) -> dict[str, object]:
        form = await self._tickets.issue(workspace, "disconnect", connection.provider.encode())
        return {
            "provider": connection.provider,
            "title": TITLES[connection.provider],
            "state": connection.state,
            "said": said_of(connection.state, TITLES[connection.provider]),
            "account": connection.account.id,
            "account_name": connection.account.name,
            "allows": plain_words(connection.scopes),
            "form": form.text,
        }

    async def _disconnect(self, request: web.Request) -> web.Response:
        workspace, provider, form = (
            await self._visiting.workspace_of(request),
            self._provider(request),
            await form_of(request),
        )
        taken = await self._tickets.take(form.get("form", ""), "disconnect")
        if taken is None or taken[0] != workspace or taken[1] != provider.encode():
            raise Rejected("This page was sent before, or is too old. Open it again.", code="disconnect_form")
        await self._disconnecting.disconnect(workspace, provider)
        if wants_json(request):
            return said({"disconnected": provider})
        sentence = f"{TITLES[provider]} is disconnected. What was read and posted before stays in its trails."
        return self._pages.page("page.html", title="Disconnected", sentence=sentence)

    def _provider(self, request: web.Request) -> Provider:
        for provider in self._providers:
            if provider == request.match_info["provider"]:
                return provider
        raise web.HTTPNotFound


def _to_command(loopback: str, *, outcome: str, sentence: str = "") -> web.Response:
    """Back to the command that waits on this machine: how it ended, and nothing that opens anything."""
    said = {"outcome": outcome, **({"sentence": sentence} if sentence else {})}
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={**HEADERS, "Location": f"{loopback}?{urlencode(said)}"})
