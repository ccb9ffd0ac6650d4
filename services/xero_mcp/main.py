"""Wires xero_mcp, and serves it."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette

from libs.bus.port import Subscription
from libs.database.port import Database
from libs.runtime.clock import Clock
from libs.runtime.health import version_of_well
from libs.runtime.standing import BudgetStanding
from libs.runtime.tls import authorities
from libs.runtime.worker import Worker
from libs.xero.client import XeroClient
from libs.xero.endpoints import Endpoints
from services.xero_mcp.adapters.client_documents import FetchedDocuments
from services.xero_mcp.api.bearer import Bearers, answer_posts_alone
from services.xero_mcp.api.busy import Unavailable
from services.xero_mcp.api.oauth import OAuthEndpoints
from services.xero_mcp.api.server import serving
from services.xero_mcp.api.tools import XeroTools
from services.xero_mcp.config import XeroMcpSettings
from services.xero_mcp.domain.token import SCOPE
from services.xero_mcp.flow.authorize import McpAuthorization
from services.xero_mcp.flow.clients import Clients
from services.xero_mcp.flow.pacing import Pacing
from services.xero_mcp.flow.read import Reading
from services.xero_mcp.flow.standing import Standing
from services.xero_mcp.flow.tokens import McpTokens
from services.xero_mcp.ports import Consents, TokenLender, XeroMcpStore

MESSAGE_MAX_BYTES: Final = 65_536
"""Bytes of what a client says at once: a call is under 1 KB, what it says of itself when it begins some more. A call
may wait for its turn, and holds as much meanwhile."""


@dataclass(frozen=True)
class XeroMcpService:
    """xero_mcp, as others see it.

    Attributes:
        app: The ASGI application; its lifespan must run.
        url: Where MCP clients connect.
        budgets: What is left of Xero's budgets.
    """

    app: Starlette
    url: str
    budgets: Callable[[], Sequence[BudgetStanding]] = tuple
    subscriptions: tuple[Subscription, ...] = ()
    workers: tuple[Worker, ...] = ()

    @contextlib.asynccontextmanager
    async def serving(self, bound: socket.socket) -> AsyncIterator[None]:
        """Serve in this loop, on a bound socket, until the block ends. Signals stay with the process."""
        async with serving(self.app, bound):
            yield


def build(
    *,
    settings: XeroMcpSettings,
    database: Database,
    store: XeroMcpStore,
    lender: TokenLender,
    consents: Consents,
    endpoints: Endpoints,
    http: httpx.AsyncClient,
    clock: Clock,
    trusted: ssl.SSLContext | None = None,
) -> XeroMcpService:
    """Wire the MCP server over Xero, auth and a database. `http` is closed by its owner.

    `trusted` says whose certificates are believed when a client's document is read; those of every call unless given.
    """
    tokens = McpTokens(database=database, store=store, clock=clock, believed_seconds=settings.believed_seconds)
    standing = Standing(consents=consents, tokens=tokens, clock=clock, believed_seconds=settings.believed_seconds)
    documents = FetchedDocuments(trusted or authorities(), from_loopback=settings.documents_from_loopback)
    oauth = OAuthEndpoints(
        issuer=settings.url,
        authorization=McpAuthorization(
            issuer=settings.url, resource=settings.resource, tokens=tokens, consents=consents, standing=standing
        ),
        clients=Clients(database=database, store=store, documents=documents, clock=clock),
        clock=clock,
    )
    pacing = Pacing(settings.limits, clock, wait_seconds=settings.wait_seconds)
    tools = XeroTools(
        reading=Reading(lender=lender, pacing=pacing),
        client=XeroClient(http, endpoints),
        attachment_max_bytes=settings.attachment_max_bytes,
    )
    with _logging_as_it_is():
        server: MCPServer[Any] = MCPServer(
            "well-xero",
            version=version_of_well(),
            title="Xero, read only",
            instructions="Reads bills, contacts and attachments of one Xero organisation. Nothing can be changed.",
            token_verifier=Bearers(tokens, standing),
            auth=_auth(settings),
            subscriptions=False,
        )
    tools.register(server)
    app = server.streamable_http_app(
        json_response=True,
        stateless_http=True,
        max_request_body_size=MESSAGE_MAX_BYTES,
        transport_security=_known_hosts(settings.url),
    )
    answer_posts_alone(app)
    app.add_middleware(Unavailable)
    # Starlette would send `/token/` on to http and to whatever host the request names, with all that is posted.
    app.router.redirect_slashes = False
    app.router.routes.extend(oauth.routes())
    return XeroMcpService(app=app, url=settings.resource, budgets=lambda: (pacing.standing(),))


@contextlib.contextmanager
def _logging_as_it_is() -> Iterator[None]:
    """The SDK's server takes over the root logger when it is made; the process decides about that, not a library."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def _auth(settings: XeroMcpSettings) -> AuthSettings:
    # Validated from text: an AnyHttpUrl made here would grow a slash, and issuers are compared letter for letter.
    return AuthSettings.model_validate(
        {
            "issuer_url": settings.url,
            "resource_server_url": settings.resource,
            "required_scopes": [SCOPE],
            "validate_token_resource": True,
        }
    )


def _known_hosts(url: str) -> TransportSecuritySettings:
    """Only our own name, so that a page elsewhere whose name was made to point here gets no answer."""
    host = urlsplit(url).netloc
    return TransportSecuritySettings(allowed_hosts=[host], allowed_origins=[url])
