"""Auth at a real address, against stand-ins, with a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx

from libs.contracts.identity import Provider
from libs.crypto.key_provider import MemoryKeyProvider
from libs.database.port import Database
from libs.eventlog.port import EventLog
from libs.qonto.standin import DEFAULT_CLIENT, DEFAULT_CLIENT_SECRET
from libs.qonto.standin import Standin as QontoStandin
from libs.runtime.clock import Clock
from libs.runtime.listen import bound_socket, port_of
from libs.runtime.serving import serving
from libs.xero.standin import Standin
from services.auth.adapters.authorization_server import RegisteredApp
from services.auth.adapters.memory import EachAsked
from services.auth.adapters.providers import qonto_server, xero_server
from services.auth.config import AuthSettings
from services.auth.main import AuthService, build, build_keyring
from services.auth.ports import AuthStore, ProviderClient
from tests.support.web import web_client

XERO_CLIENT = ("well-demo", "well-demo-secret")
TENANT = "5f0e8d1c-0000-4000-8000-000000000001"


@dataclass(frozen=True)
class OneOf:
    """Whom jobs visit: one workspace, while auth says that its connection works."""

    service: AuthService
    workspace: UUID

    async def connected(self, provider: Provider) -> list[UUID]:
        """The one, or nobody."""
        state = await self.service.connection_state(self.workspace, provider)
        return [self.workspace] if state in {"active", "refused"} else []


@dataclass(frozen=True)
class RunningAuth:
    """Auth, listening."""

    service: AuthService
    url: str

    @asynccontextmanager
    async def signed_in(self, workspace: UUID) -> AsyncIterator[httpx.AsyncClient]:
        """A browser with a session of this workspace, which follows redirects."""
        async with web_client() as browser:
            answer = await browser.get(await self.service.sign_in_ticket(workspace))
            assert answer.status_code == httpx.codes.SEE_OTHER
            browser.follow_redirects = True
            yield browser

    async def connect(self, workspace: UUID, provider: Provider) -> httpx.Response:
        """Connect a provider as a person would, by clicking through."""
        async with self.signed_in(workspace) as browser:
            return await browser.get(f"{self.url}/connect/{provider}")


async def told(standin: Standin | QontoStandin, path: str, words: dict[str, Any]) -> None:
    """Tell a stand-in something under `/_standin/`."""
    async with web_client() as http:
        (await http.post(f"{standin.url}/_standin/{path}", json=words)).raise_for_status()


async def calls(standin: Standin) -> dict[str, int]:
    """How many calls a stand-in has had, by method, path and status."""
    async with web_client() as http:
        counted: dict[str, int] = (await http.get(f"{standin.url}/_standin/calls")).raise_for_status().json()
        return counted


def build_auth(
    url: str,
    *,
    clock: Clock,
    clients: dict[Provider, ProviderClient],
    log: EventLog,
    database: Database,
    store: AuthStore,
    settings: AuthSettings | None = None,
) -> AuthService:
    """Auth over a database, with keys of its own."""
    provider = MemoryKeyProvider()
    keys = build_keyring(database=database, store=store, key_provider=provider, clock=clock)
    return build(
        settings=settings or AuthSettings(public_url=url, home_url=f"{url}/home"),
        database=database,
        store=store,
        connected=EachAsked(database, store),
        keyring=keys,
        log=log,
        clients=clients,
        key_provider=provider,
        clock=clock,
    )


async def consented(auth: AuthService, workspace: UUID, provider: Provider) -> None:
    """A person connects, at a provider that says yes to whatever code comes."""
    query = parse_qs(urlsplit(await auth.connecting.begin(workspace, provider, None)).query)
    returned = await auth.connecting.come_back(workspace, provider, state=query["state"][0])
    await auth.connecting.finish(workspace, returned, code="code")


def xero_client(standin: Standin, url: str, http: httpx.AsyncClient, clock: Clock) -> ProviderClient:
    """Xero's authorization server, as a stand-in plays it."""
    app = RegisteredApp(*XERO_CLIENT, redirect_uri=f"{url}/connect/xero/callback")
    return xero_server(standin.endpoints, app, http, clock)


def qonto_client(
    standin: QontoStandin, url: str, http: httpx.AsyncClient, clock: Clock, *, staging_token: str | None = None
) -> ProviderClient:
    """Qonto's authorization server, as a stand-in plays it."""
    app = RegisteredApp(DEFAULT_CLIENT, DEFAULT_CLIENT_SECRET, redirect_uri=f"{url}/connect/qonto/callback")
    return qonto_server(standin.endpoints, app, http, clock, staging_token=staging_token)


@asynccontextmanager
async def running_auth(
    standin: Standin,
    *,
    clock: Clock,
    log: EventLog,
    database: Database,
    store: AuthStore,
    settings: dict[str, Any] | None = None,
    qonto: QontoStandin | None = None,
    secrets: Mapping[str, bytes] | None = None,
    staging_token: str | None = None,
) -> AsyncIterator[RunningAuth]:
    """Auth against stand-ins that approve every consent; open to the services whose secrets are given."""
    bound = bound_socket()
    url = f"http://localhost:{port_of(bound)}"
    await told(standin, "organisations", {"tenant_id": TENANT, "name": "Atelier Marchand"})
    await told(standin, "settings", {"consent": "auto"})
    if qonto is not None:
        await told(qonto, "settings", {"consent": "auto"})
    async with web_client() as http:
        clients: dict[Provider, ProviderClient] = {"xero": xero_client(standin, url, http, clock)}
        if qonto is not None:
            clients["qonto"] = qonto_client(qonto, url, http, clock, staging_token=staging_token)
        service = build_auth(
            url,
            clock=clock,
            clients=clients,
            log=log,
            database=database,
            store=store,
            settings=AuthSettings(public_url=url, home_url=f"{url}/home", **(settings or {})),
        )
        if secrets is not None:
            service.open_to_services(secrets, clock)
        async with serving(service.app, bound):
            yield RunningAuth(service, url)
        await service.aclose()
