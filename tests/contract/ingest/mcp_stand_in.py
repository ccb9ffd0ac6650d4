"""An MCP server with its own authorization server, small enough to be told how to misbehave.

The tools are the SDK's; the authorization server is written by hand, so that each awkward way of real ones can be set.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, cast
from urllib.parse import urlencode
from uuid import UUID

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp_types import CallToolResult, TextContent
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from libs.contracts.errors import Rejected, Transient, WellError
from libs.contracts.identity import RecordKind
from services.ingest.adapters.memory_providers import MemoryProvider

LIFETIME_SECONDS: Final = 1800


@dataclass
class McpStandIn:
    """What the server holds, and how it shall behave.

    Attributes:
        xero: What its tools read.
        workspace: For whom.
        issuer_slash: Whether the resource's document names the issuer with a slash that the issuer's own leaves out.
        repeats: The page that it says it answers with, whichever it was asked for.
        pkce: Whether it says that it knows PKCE.
        refreshes: Whether it honours refresh tokens.
        registers: Whether it says where programs register.
        revokes: What it answers to a revocation; None where it says nothing of such a thing.
        reads_documents: Whether it says that it reads clients' documents.
        authority: Whose authorization server its resource names; None for its own.
        answering: Cleared while the token endpoint takes a refresh and does not answer yet.
        clients: Who came for tokens, and whether with a secret.
        registered: The bodies of registrations.
        revoked: The forms of revocations.
        asked: Calls by path.
        authorized: The queries of the consent page.
    """

    xero: MemoryProvider
    workspace: UUID
    port: int = 0
    issuer_slash: bool = False
    repeats: int | None = None
    pkce: bool = True
    refreshes: bool = True
    registers: bool = True
    revokes: int | None = None
    reads_documents: bool = False
    authority: McpStandIn | None = None
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    clients: list[tuple[str, bool]] = field(default_factory=list)
    registered: list[dict[str, Any]] = field(default_factory=list)
    revoked: list[dict[str, str]] = field(default_factory=list)
    authorized: list[dict[str, str]] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    access: set[str] = field(default_factory=set)
    refresh: set[str] = field(default_factory=set)
    codes: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Its address, once it is served."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def mcp_url(self) -> str:
        """The endpoint."""
        return f"{self.url}/mcp"

    async def resource(self, _: Request) -> Response:
        issuer = self.authority.url if self.authority else self.url
        issuer = f"{issuer}/" if self.issuer_slash else issuer
        return JSONResponse({"resource": self.mcp_url, "authorization_servers": [issuer], "scopes_supported": ALL})

    async def metadata(self, _: Request) -> Response:
        words = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/oauth/token",
            "scopes_supported": ALL,
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "none"],
        }
        offered = {
            "registration_endpoint": f"{self.url}/register" if self.registers else None,
            "revocation_endpoint": f"{self.url}/oauth/revoke" if self.revokes is not None else None,
            "client_id_metadata_document_supported": self.reads_documents or None,
            "code_challenge_methods_supported": ["S256"] if self.pkce else None,
        }
        return JSONResponse(words | {name: word for name, word in offered.items() if word is not None})

    async def register(self, request: Request) -> Response:
        body = await request.json()
        self.registered.append(body)
        return JSONResponse({**body, "client_id": f"client-{self.port}-{len(self.registered)}"}, status_code=201)

    async def authorize(self, request: Request) -> Response:
        query = dict(request.query_params)
        self.authorized.append(query)
        code = secrets.token_urlsafe(8)
        self.codes[code] = query["code_challenge"]
        back = urlencode({"code": code, "state": query["state"], "iss": self.url})
        return RedirectResponse(f"{query['redirect_uri']}?{back}")

    async def token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.asked[f"token {form['grant_type']}"] += 1
        basic = request.headers.get("Authorization", "").removeprefix("Basic ")
        named, _, secret = base64.b64decode(basic).decode().partition(":")
        self.clients.append((named or form["client_id"], bool(secret or form.get("client_secret"))))
        if form["grant_type"] == "refresh_token":
            await self.answering.wait()
        if form["grant_type"] == "authorization_code":
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            known = self.codes.pop(form["code"], None) == base64.urlsafe_b64encode(digest).decode().rstrip("=")
        else:
            known = self.refreshes and form["refresh_token"] in self.refresh
            self.refresh.discard(form["refresh_token"])
        if not known:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        access, refresh = secrets.token_urlsafe(8), secrets.token_urlsafe(8)
        self.access.add(access)
        self.refresh.add(refresh)
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": LIFETIME_SECONDS}
        return JSONResponse({**answer, "refresh_token": refresh})

    async def revoke(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.revoked.append(form)
        return Response(status_code=self.revokes or 404)

    def tools(self) -> MCPServer[Any]:
        """The tools of the agreed shape, over the provider in memory."""
        server: MCPServer[Any] = MCPServer("stand-in")

        async def listed(kind: RecordKind, key: str, page: int, since: str | None) -> dict[str, Any]:
            at = datetime.fromisoformat(since) if since else None
            found = await self.xero.records(self.workspace, kind, page=page, since=at)
            return {
                key: list(found.records),
                "pagination": {"page": self.repeats or page, "pageCount": found.page_count},
            }

        async def list_contacts(
            page: int, page_size: int, modified_since: str | None = None, *, include_archived: bool
        ) -> CallToolResult:
            assert include_archived
            assert page_size == 1000
            return await _told(lambda: listed("contact", "contacts", page, modified_since))

        async def list_invoices(
            page: int, page_size: int, modified_since: str | None = None, *, include_archived: bool
        ) -> CallToolResult:
            assert include_archived
            assert page_size == 1000
            return await _told(lambda: listed("bill", "invoices", page, modified_since))

        async def list_attachments(invoice_id: str) -> CallToolResult:
            async def read() -> dict[str, Any]:
                found = await self.xero.attachments(self.workspace, invoice_id)
                return {
                    "attachments": [
                        {
                            "AttachmentID": each.attachment_id,
                            "FileName": each.file_name,
                            "MimeType": each.mime_type,
                            "ContentLength": None if each.size_bytes is None else str(each.size_bytes),
                        }
                        for each in found
                    ]
                }

            return await _told(read)

        async def get_attachment(invoice_id: str, attachment_id: str) -> CallToolResult:
            async def read() -> dict[str, Any]:
                file = await self.xero.attached_file(self.workspace, invoice_id, attachment_id)
                return {
                    "file_name": file.file_name,
                    "sha256": hashlib.sha256(file.content).hexdigest(),
                    "content_base64": base64.b64encode(file.content).decode(),
                }

            return await _told(read)

        for tool in (list_contacts, list_invoices, list_attachments, get_attachment):
            server.add_tool(tool, structured_output=False)
        return server


ALL: Final = ["xero.read", "xero.write", "settings"]


async def _told(read: Callable[[], Awaitable[dict[str, Any]]]) -> CallToolResult:
    try:
        return CallToolResult(content=[TextContent(text="Done.")], structured_content=await read())
    except WellError as error:
        words = {
            "kind": type(error).__name__,
            "code": error.code if isinstance(error, Rejected) else None,
            "sentence": error.sentence,
            "retry_after_seconds": error.retry_after_seconds if isinstance(error, Transient) else None,
        }
        return CallToolResult(
            content=[TextContent(text=error.sentence)], structured_content={"error": words}, is_error=True
        )


@asynccontextmanager
async def running(stand_in: McpStandIn) -> AsyncIterator[None]:
    """Serve it on a free port, or where it was served before."""
    tools = stand_in.tools().streamable_http_app()
    lived = cast("AbstractAsyncContextManager[None]", tools.router.lifespan_context(tools))

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            stand_in.asked["mcp"] += 1
            stand_in.asked[f"{scope['method']} {scope['path']}"] += 1
            sent = Request(scope).headers.get("authorization", "").removeprefix("Bearer ")
            if sent not in stand_in.access | (stand_in.authority.access if stand_in.authority else set()):
                challenge = f'Bearer resource_metadata="{stand_in.url}/.well-known/oauth-protected-resource/mcp"'
                refusal = Response(status_code=401, headers={"WWW-Authenticate": challenge})
                await refusal(scope, receive, send)
                return
        await tools(scope, receive, send)

    app = Starlette(
        routes=[
            Route("/.well-known/oauth-protected-resource/mcp", stand_in.resource),
            Route("/.well-known/oauth-authorization-server", stand_in.metadata),
            Route("/register", stand_in.register, methods=["POST"]),
            Route("/authorize", stand_in.authorize),
            Route("/oauth/token", stand_in.token, methods=["POST"]),
            Route("/oauth/revoke", stand_in.revoke, methods=["POST"]),
            Mount("/", guarded),
        ],
        lifespan=lambda _: lived,
    )
    stand_in.answering.set()
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", stand_in.port))
    bound.listen()
    stand_in.port = bound.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
        bound.close()
