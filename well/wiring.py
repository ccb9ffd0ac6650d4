"""Which service gets what, in one process for all or in one of its own. No rule lives here.

A service is imported when it is wired, so that a process of one carries nothing of the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from libs.blobs.sealed_files import SealedFiles
from libs.qonto.client import QontoClient
from libs.runtime.clock import Clock
from well.settings import Settings
from well.storage import Storage

if TYPE_CHECKING:
    from services.audit.flow.trail import Trail
    from services.auth.adapters.authorization_server import RegisteredApp
    from services.auth.inside import Inside
    from services.auth.main import AuthService
    from services.console.main import ConsoleService
    from services.ingest.main import IngestService
    from services.matcher.main import MatcherService
    from services.pusher.main import PusherService
    from services.xero_mcp.main import XeroMcpService


@dataclass(frozen=True)
class Services:
    """The services of one process."""

    auth: AuthService
    xero_mcp: XeroMcpService
    ingest: IngestService
    matcher: MatcherService
    pusher: PusherService
    console: ConsoleService
    trail: Trail


@dataclass(frozen=True)
class Wiring:
    """What the services of a process share. Each method wires one; of auth it wants whatever answers for it.

    Attributes:
        settings: What may be set.
        storage: Rows, keys and logs.
        clock: The one clock.
        http: For calls to both providers; closed by whoever opened it.
        blobs: Where documents lie, for those who keep or read them.
        url: Where browsers reach the process.
        mcp_url: Where the MCP server listens.
    """

    settings: Settings
    storage: Storage
    clock: Clock
    http: httpx.AsyncClient
    blobs: Path
    url: str
    mcp_url: str

    def services(self) -> Services:
        """Every service, for one process. Whoever asks closes `auth` and `ingest`."""
        from services.audit.flow.trail import Trail
        from services.ingest.api import CONNECT_PATH

        auth = self.auth(connect_xero_url=f"{self.url}{CONNECT_PATH}")
        return Services(
            auth=auth,
            xero_mcp=self.xero_mcp(auth),
            ingest=self.ingest(auth),
            matcher=self.matcher(auth),
            pusher=self.pusher(auth),
            console=self.console(),
            trail=Trail(self.storage.reader),
        )

    def auth(self, *, connect_xero_url: str | None = None) -> AuthService:
        """Auth itself, and where ingest is to be found if it is here too; whoever asks closes it."""
        from services.auth.adapters.postgres import PostgresAuthStore
        from services.auth.adapters.postgres_connected import PostgresConnected
        from services.auth.adapters.providers import qonto_server, xero_server
        from services.auth.config import AuthSettings
        from services.auth.main import build as build_auth

        settings, storage, http, clock = self.settings, self.storage, self.http, self.clock
        if storage.key_provider is None:
            raise ValueError("auth is wired over a storage that keeps keys")
        xero_app = self._app("xero", settings.xero_client_id, settings.xero_client_secret)
        qonto_app = self._app("qonto", settings.qonto_client_id, settings.qonto_client_secret)
        staging_token = settings.qonto_staging_token
        return build_auth(
            settings=AuthSettings(
                public_url=self.url,
                home_url=f"{self.url}/status",
                sign_in=settings.sign_in,
                open_workspace=settings.open_workspace,
                mcp_consent=settings.mcp_consent,
                connect_xero_url=connect_xero_url,
            ),
            database=storage.databases["auth"],
            store=PostgresAuthStore(storage.sealers.tokens),
            connected=PostgresConnected(storage.carrying),
            keyring=storage.keyring,
            log=storage.log("auth"),
            key_provider=storage.key_provider,
            clients={
                "xero": xero_server(settings.xero, xero_app, http, clock),
                "qonto": qonto_server(settings.qonto, qonto_app, http, clock, staging_token=staging_token),
            },
            clock=clock,
        )

    def xero_mcp(self, auth: Inside) -> XeroMcpService:
        """The MCP server that reads Xero."""
        from services.xero_mcp.adapters.postgres import PostgresXeroMcpStore
        from services.xero_mcp.config import XeroMcpSettings
        from services.xero_mcp.main import build as build_xero_mcp

        return build_xero_mcp(
            settings=XeroMcpSettings(
                url=self.mcp_url,
                limits=self.settings.xero_limits,
                documents_from_loopback=self.settings.documents_from_loopback,
            ),
            database=self.storage.databases["xero_mcp"],
            store=PostgresXeroMcpStore(self.storage.sealers.tokens),
            lender=auth,
            consents=auth,
            endpoints=self.settings.xero,
            http=self.http,
            clock=self.clock,
        )

    def ingest(self, auth: Inside) -> IngestService:
        """What pulls; whoever asks closes it."""
        from services.ingest.api import CALLBACK_PATH, CLIENT_DOCUMENT_PATH
        from services.ingest.config import IngestSettings
        from services.ingest.main import build as build_ingest
        from services.xero_mcp.config import XeroMcpSettings

        settings, storage = self.settings, self.storage
        return build_ingest(
            database=storage.databases["ingest"],
            log=storage.log("ingest"),
            sealers=storage.sealers,
            blobs=self._documents(),
            qonto=self._qonto(),
            lender=auth,
            workspaces=auth,
            visitors=auth,
            carrying=storage.carrying,
            clock=self.clock,
            settings=IngestSettings(
                xero_mcp_url=XeroMcpSettings(url=self.mcp_url).resource,
                callback_url=f"{self.url}{CALLBACK_PATH}",
                client_document_url=f"{self.url}{CLIENT_DOCUMENT_PATH}" if self.url.startswith("https:") else None,
                registered_by_hand=settings.registered_by_hand,
                poll_seconds=settings.poll_seconds,
                overlap_seconds=settings.overlap_seconds,
                idle_seconds=settings.idle_seconds,
                lease_seconds=settings.document_lease_seconds,
            ),
        )

    def matcher(self, auth: Inside) -> MatcherService:
        """What decides."""
        from services.matcher.adapters.postgres_due import WithDueBills
        from services.matcher.main import build as build_matcher

        return build_matcher(
            database=self.storage.databases["matcher"],
            log=self.storage.log("matcher"),
            sealer=self.storage.sealers.payloads,
            clock=self.clock,
            workspaces=WithDueBills(auth, self.storage.carrying),
        )

    def pusher(self, auth: Inside) -> PusherService:
        """What writes to Qonto."""
        from services.pusher.config import PusherConfig
        from services.pusher.main import build as build_pusher

        return build_pusher(
            database=self.storage.databases["pusher"],
            log=self.storage.log("pusher"),
            sealer=self.storage.sealers.payloads,
            clock=self.clock,
            blobs=self._documents(),
            client=self._qonto(),
            lender=auth,
            workspaces=auth,
            carrying=self.storage.carrying,
            config=PusherConfig(retry=self.settings.retry, reading=self.settings.reading),
        )

    def console(self) -> ConsoleService:
        """What people see and answer."""
        from services.console.main import build as build_console

        return build_console(
            database=self.storage.databases["console"],
            log=self.storage.log("console"),
            sealer=self.storage.sealers.payloads,
            clock=self.clock,
        )

    def _app(self, provider: str, client_id: str, client_secret: str) -> RegisteredApp:
        from services.auth.adapters.authorization_server import RegisteredApp

        redirect_uri = f"{self.url}/connect/{provider}/callback"
        return RegisteredApp(client_id=client_id, client_secret=client_secret, redirect_uri=redirect_uri)

    def _documents(self) -> SealedFiles:
        return SealedFiles(self.blobs, self.storage.sealers.documents)

    def _qonto(self) -> QontoClient:
        return QontoClient(self.http, self.settings.qonto.api_url, self.settings.qonto_staging_token)
