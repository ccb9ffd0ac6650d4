"""Wires auth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict
from uuid import UUID

from aiohttp import web

from libs.auth_client.wire import PREFIX
from libs.bus.port import Subscription
from libs.contracts.consented import Consented
from libs.contracts.identity import KeyPurpose, Provider
from libs.crypto.bearer import INSTALLATION
from libs.crypto.key_provider import KeyProvider
from libs.crypto.keyring import Keyring
from libs.crypto.lent import LentToken
from libs.crypto.seal import WorkspaceKeys
from libs.database.port import Database
from libs.eventlog.port import EventLog
from libs.runtime.clock import Clock
from libs.runtime.worker import Worker
from services.auth.api.app import application
from services.auth.api.connecting import ConnectingPages
from services.auth.api.pages import Pages
from services.auth.api.programs import ProgramPages
from services.auth.api.visiting import Visiting
from services.auth.config import AuthSettings
from services.auth.domain.connection import ConnectionState
from services.auth.flow.connect import Connecting
from services.auth.flow.disconnect import Disconnecting
from services.auth.flow.erase import Erasing
from services.auth.flow.keyring import StoredKeyring
from services.auth.flow.lend import Lending
from services.auth.flow.listing import Listing
from services.auth.flow.mcp_consent import McpConsents
from services.auth.flow.programs import Programs
from services.auth.flow.reading import Reading
from services.auth.flow.refresh import Refreshing
from services.auth.flow.rotate import Rotating
from services.auth.flow.tickets import Tickets
from services.auth.flow.unauthorized import Unauthorized
from services.auth.internal_api import InternalApi
from services.auth.ports import AuthStore, Connected, KeyStore, ProviderClient


@dataclass(frozen=True)
class AuthService:
    """Auth, as others see it."""

    app: web.Application
    visiting: Visiting
    connections: Connected
    keyring: Keyring
    connecting: Connecting
    disconnecting: Disconnecting
    lending: Lending
    tickets: Tickets
    consents: McpConsents
    programs: Programs
    reading: Reading
    rotating: Rotating
    erasing: Erasing
    settings: AuthSettings
    database: Database
    store: AuthStore
    subscriptions: tuple[Subscription, ...] = ()
    workers: tuple[Worker, ...] = ()

    async def lend(self, borrower: str, workspace: UUID, provider: Provider) -> LentToken:
        """A token for one call; see `Lending.lend`."""
        return await self.lending.lend(borrower, workspace, provider)

    async def refused(self, workspace: UUID, provider: Provider, secret: str) -> None:
        """A borrower saw 401 with this token; see `Lending.refused`."""
        await self.lending.refused(workspace, provider, secret)

    async def forbidden(self, workspace: UUID, provider: Provider) -> None:
        """A borrower saw 403 with a good token; see `Lending.forbidden`."""
        await self.lending.forbidden(workspace, provider)

    async def connection_state(self, workspace: UUID, provider: Provider) -> ConnectionState:
        """How a connection stands."""
        return await self.lending.state(workspace, provider)

    async def workspaces(self) -> Sequence[UUID]:
        """Every workspace that has had a connection."""
        async with self.database.transaction(INSTALLATION) as tx:
            return await self.store.connected_workspaces(tx)

    async def connected(self, provider: Provider) -> Sequence[UUID]:
        """The workspaces whose connection to a provider works, or is tried again."""
        return await self.connections.connected(provider)

    async def erased(self) -> Sequence[UUID]:
        """The workspaces of which services delete what they keep; see `Erasing.erased`."""
        return await self.erasing.erased()

    async def workspace_of(self, request: web.Request) -> UUID:
        """The workspace of a browser's session; see `Visiting.visitor`."""
        return await self.visiting.workspace_of(request)

    async def visitor(self, session: str) -> UUID:
        """The workspace that a session opens; see `Visiting.visitor`."""
        return await self.visiting.visitor(session)

    async def keys(self, workspace: UUID, purpose: KeyPurpose) -> WorkspaceKeys:
        """All keys of a workspace for one purpose, made on first use; see `StoredKeyring.keys`."""
        return await self.keyring.keys(workspace, purpose)

    async def opening_keys(self, grant: str) -> WorkspaceKeys:
        """What opens the events that a grant is for; see `Reading.opening_keys`."""
        return await self.reading.opening_keys(grant)

    def open_to_services(self, secrets: Mapping[str, bytes], clock: Clock) -> None:
        """Answer other services under `/internal/v1`, each known by its secret; called before the app is served."""
        self.app.add_subapp(PREFIX, InternalApi(self, secrets=secrets, clock=clock).app())

    async def sign_in_ticket(self, workspace: UUID) -> str:
        """An address that signs a browser in, once, within 15 minutes."""
        ticket = await self.tickets.issue(workspace, "sign_in")
        return f"{self.settings.public_url}/sign-in?ticket={ticket.text}"

    async def ask_consent(
        self, *, client_name: str, redirect_host: str, scopes: tuple[str, ...], return_to: str, document_host: str = ""
    ) -> str:
        """The address where a person answers for an MCP client; see `McpConsents.ask`."""
        return await self.consents.ask(
            client_name=client_name,
            redirect_host=redirect_host,
            document_host=document_host,
            scopes=scopes,
            return_to=return_to,
        )

    async def redeem_consent(self, grant: str, *, return_to: str) -> Consented:
        """What an answer opens; see `McpConsents.redeem`."""
        return await self.consents.redeem(grant, return_to=return_to)

    async def consent_stands(self, consented: Consented) -> bool:
        """Whether a program may still read; see `Programs.stands`."""
        return await self.programs.stands(consented)

    async def end_consent(self, consented: Consented) -> None:
        """A program wants to read no more. Where a person was first, nothing is left to end."""
        await self.programs.end(consented)

    async def aclose(self) -> None:
        """Wait for refreshes under way."""
        await self.lending.aclose()


def build_keyring(*, database: Database, store: KeyStore, key_provider: KeyProvider, clock: Clock) -> Keyring:
    """The keyring that every sealer of the installation asks.

    Give it a database of its own, with its own pool: keys are asked for while a transaction is open, and on a shared
    pool six of those could wait for a seventh connection for ever.
    """
    return StoredKeyring(database, store, key_provider, clock)


def build(
    *,
    settings: AuthSettings,
    database: Database,
    store: AuthStore,
    connected: Connected,
    keyring: Keyring,
    log: EventLog,
    clients: dict[Provider, ProviderClient],
    key_provider: KeyProvider,
    clock: Clock,
) -> AuthService:
    """Wire auth over a database, a log and the providers."""
    told = _Told(database=database, store=store, log=log, clients=clients, clock=clock)
    tickets = Tickets(database=database, store=store, clock=clock)
    unauthorized = Unauthorized(database=database, store=store, clock=clock)
    refreshing = Refreshing(**told, unauthorized=unauthorized)
    lending = Lending(database=database, store=store, refreshing=refreshing, unauthorized=unauthorized, clock=clock)
    connecting = Connecting(**told, tickets=tickets, lending=lending)
    disconnecting = Disconnecting(**told, refreshing=refreshing, lending=lending)
    programs = Programs(database=database, store=store, clock=clock)
    consents = McpConsents(tickets=tickets, programs=programs, public_url=settings.public_url)
    pages = Pages(settings.home_url)
    visiting = Visiting(settings, tickets, pages)
    asked = _Asked(
        settings=settings,
        visiting=visiting,
        tickets=tickets,
        connecting=connecting,
        consents=consents,
        programs=programs,
    )
    connecting_pages = ConnectingPages(
        pages,
        **asked,
        disconnecting=disconnecting,
        listing=Listing(database=database, store=store),
        providers=tuple(clients),
    )
    program_pages = ProgramPages(pages, **asked, lending=lending)
    return AuthService(
        app=application(pages, visiting.routes(), connecting_pages.routes(), program_pages.routes()),
        visiting=visiting,
        connections=connected,
        keyring=keyring,
        connecting=connecting,
        disconnecting=disconnecting,
        lending=lending,
        tickets=tickets,
        consents=consents,
        programs=programs,
        reading=Reading(tickets=tickets, keyring=keyring),
        rotating=Rotating(database=database, store=store, log=log, provider=key_provider, clock=clock),
        erasing=Erasing(database=database, store=store, log=log, disconnecting=disconnecting, clock=clock),
        settings=settings,
        database=database,
        store=store,
    )


class _Told(TypedDict):
    """What whoever changes connections needs."""

    database: Database
    store: AuthStore
    log: EventLog
    clients: dict[Provider, ProviderClient]
    clock: Clock


class _Asked(TypedDict):
    """What both sorts of pages ask."""

    settings: AuthSettings
    visiting: Visiting
    tickets: Tickets
    connecting: Connecting
    consents: McpConsents
    programs: Programs
