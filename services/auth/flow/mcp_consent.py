"""The consent a person gives to an MCP client: once for each client, on a page that names it.

The MCP server holds one Xero app for all its clients, which makes it a proxy; without a page of its own a client could
ride on a consent that another one was given. Source: MCP security best practices, "Confused deputy problem".

1. The MCP server asks with the client's words and gets an address for the browser.
2. A person, signed in, allows or refuses it there.
3. The browser returns to the MCP server with a grant, good once and only for this request.
4. The MCP server redeems the grant for the workspace it opens, and for the consent that a person may take back.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Final
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import orjson

from libs.contracts.consented import Consented
from libs.contracts.errors import Rejected
from libs.contracts.loopback import LOOPBACK_HOSTS
from libs.crypto.bearer import INSTALLATION
from services.auth.flow.programs import Programs
from services.auth.flow.tickets import Tickets

_GONE: Final = "This request of a program is no longer open. Go back to the program and connect again."


@dataclass(frozen=True)
class McpRequest:
    """What an MCP client asks for. Name and host are the client's own words and prove nothing about it.

    Attributes:
        client_name: As it registered itself.
        redirect_host: Where the code would go; the one thing a person can judge the client by.
        document_host: The host that keeps the client's document and so vouches for it; empty for one that only
            registered itself.
        scopes: What it may read.
        return_to: The MCP server's own address to go back to, with its query.
    """

    client_name: str
    redirect_host: str
    scopes: tuple[str, ...]
    return_to: str = field(repr=False)
    document_host: str = ""

    @property
    def stays_here(self) -> bool:
        """Whether the code would go to the machine that the browser runs on."""
        return urlsplit(f"//{self.redirect_host}").hostname in LOOPBACK_HOSTS


class McpConsents:
    """Requests of MCP clients that wait for a person, and the grants they end in."""

    def __init__(self, *, tickets: Tickets, programs: Programs, public_url: str) -> None:
        self._tickets = tickets
        self._programs = programs
        self._public_url = public_url

    async def ask(
        self, *, client_name: str, redirect_host: str, scopes: tuple[str, ...], return_to: str, document_host: str = ""
    ) -> str:
        """The address of the consent page for a request."""
        request = McpRequest(client_name, redirect_host, scopes, return_to, document_host)
        ticket = await self._tickets.issue(INSTALLATION, "mcp_request", _written(request))
        return f"{self._public_url}/consents/mcp?{urlencode({'request': ticket.text})}"

    async def request(self, text: str) -> McpRequest:
        """A request that waits.

        Raises:
            Rejected: `mcp_request` when it is unknown, answered, or too old.
        """
        seen = await self._tickets.see(text, "mcp_request")
        if seen is None:
            raise Rejected(_GONE, code="mcp_request")
        return _read(seen[1])

    async def form_token(self, workspace: UUID, text: str) -> str:
        """What the page's form carries, so that no other site can send it."""
        return (await self._tickets.issue(workspace, "mcp_form", text.encode())).text

    async def answer(self, workspace: UUID, form_token: str, *, allow: bool) -> str:
        """A person answered the page. Where to send the browser.

        Raises:
            Rejected: `mcp_request` when the form was sent before, by somebody else, or too late.
        """
        taken = await self._tickets.take(form_token, "mcp_form")
        if taken is None or taken[0] != workspace:
            raise Rejected(_GONE, code="mcp_request")
        return await self.decide(workspace, taken[1].decode(), allow=allow)

    async def decide(self, workspace: UUID, text: str, *, allow: bool) -> str:
        """Close a request with an answer. Where to send the browser.

        Raises:
            Rejected: `mcp_request` when it is unknown, answered, or too old.
        """
        request = await self.request(text)
        if await self._tickets.take(text, "mcp_request") is None:
            raise Rejected(_GONE, code="mcp_request")
        separator = "&" if "?" in request.return_to else "?"
        if not allow:
            return f"{request.return_to}{separator}error=access_denied"
        grant = await self._tickets.issue(workspace, "mcp_grant", _written(request))
        return f"{request.return_to}{separator}{urlencode({'grant': grant.text})}"

    async def redeem(self, grant: str, *, return_to: str) -> Consented:
        """The workspace that a grant opens, and the consent that everything for this program comes from.

        A grant is good once, and only for the request with this return address.

        Raises:
            Rejected: `mcp_grant` when it is not; `too_many_programs`.
        """
        taken = await self._tickets.take(grant, "mcp_grant")
        request = None if taken is None else _read(taken[1])
        if taken is None or request is None or request.return_to != return_to:
            raise Rejected("This grant was used already, or belongs to another request.", code="mcp_grant")
        consent = await self._programs.allow(
            taken[0],
            client_name=request.client_name,
            redirect_host=request.redirect_host,
            document_host=request.document_host,
            scopes=request.scopes,
        )
        return Consented(taken[0], consent)


def _written(request: McpRequest) -> bytes:
    return orjson.dumps(asdict(request))


def _read(kept: bytes) -> McpRequest:
    words = orjson.loads(kept)
    return McpRequest(**{**words, "scopes": tuple(words["scopes"])})
