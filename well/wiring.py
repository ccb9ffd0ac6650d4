"""Which service gets what: the services of one process, each over its own database and log. No rule lives here."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from libs.blobs.sealed_files import SealedFiles
from libs.qonto.client import QontoClient
from libs.runtime.clock import Clock
from services.audit.flow.trail import Trail
from services.auth.adapters.authorization_server import RegisteredApp
from services.auth.adapters.postgres import PostgresAuthStore
from services.auth.adapters.postgres_connected import PostgresConnected
from services.auth.adapters.providers import qonto_server, xero_server
from services.auth.config import AuthSettings
from services.auth.main import AuthService
from services.auth.main import build as build_auth
from services.console.main import ConsoleService
from services.console.main import build as build_console
from services.ingest.config import IngestSettings
from services.ingest.main import IngestService
from services.ingest.main import build as build_ingest
from services.matcher.adapters.postgres_due import WithDueBills
from services.matcher.main import MatcherService
from services.matcher.main import build as build_matcher
from services.pusher.config import PusherConfig
from services.pusher.main import PusherService
from services.pusher.main import build as build_pusher
from services.xero_mcp.adapters.postgres import PostgresXeroMcpStore
from services.xero_mcp.config import XeroMcpSettings
from services.xero_mcp.main import XeroMcpService
from services.xero_mcp.main import build as build_xero_mcp
from well.home import Installation
from well.settings import Settings
from well.storage import Storage


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
    """What the services of a process share.

    Attributes:
        installation: Where documents lie.
        settings: What may be set.
        storage: Rows, keys and logs.
        clock: The one clock.
        http: For calls to both providers; closed by whoever opened it.
        url: Where browsers reach the process.
        mcp_url: Where the MCP server listens.
    """

    installation: Installation
    settings: Settings
    storage: Storage
    clock: Clock
    http: httpx.AsyncClient
    url: str
    mcp_url: str

    def services(self) -> Services:
        """Every service, wired. Whoever asks closes `auth` and `ingest`."""
        settings, storage = self.settings, self.storage
        blobs = SealedFiles(self.installation.blobs, storage.sealer)
        connected = PostgresConnected(storage.carrying)
        qonto = QontoClient(self.http, settings.qonto.api_url, settings.qonto_staging_token)
        auth = self._auth()
        xero_mcp = self._xero_mcp(auth)
        return Services(
            auth=auth,
            xero_mcp=xero_mcp,
            ingest=self._ingest(auth, connected, xero_mcp, qonto, blobs),
            matcher=build_matcher(
                database=storage.databases["matcher"],
                log=storage.log("matcher"),
                sealer=storage.sealer,
                clock=self.clock,
                workspaces=WithDueBills(auth, storage.carrying),
            ),
            pusher=build_pusher(
                database=storage.databases["pusher"],
                log=storage.log("pusher"),
                sealer=storage.sealer,
                clock=self.clock,
                blobs=blobs,
                client=qonto,
                lender=auth,
                workspaces=connected,
                carrying=storage.carrying,
                config=PusherConfig(retry=settings.retry, reading=settings.reading),
            ),
            console=build_console(
                database=storage.databases["console"],
                log=storage.log("console"),
                sealer=storage.sealer,
                clock=self.clock,
            ),
            trail=Trail(storage.reader),
        )

    def _auth(self) -> AuthService:
        settings, storage, http, clock = self.settings, self.storage, self.http, self.clock
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
            ),
            database=storage.databases["auth"],
            store=PostgresAuthStore(storage.sealer),
            connected=PostgresConnected(storage.carrying),
            keyring=storage.keyring,
            log=storage.log("auth"),
            clients={
                "xero": xero_server(settings.xero, xero_app, http, clock),
                "qonto": qonto_server(settings.qonto, qonto_app, http, clock, staging_token=staging_token),
            },
            clock=clock,
        )

    def _app(self, provider: str, client_id: str, client_secret: str) -> RegisteredApp:
        redirect_uri = f"{self.url}/connect/{provider}/callback"
        return RegisteredApp(client_id=client_id, client_secret=client_secret, redirect_uri=redirect_uri)

    def _xero_mcp(self, auth: AuthService) -> XeroMcpService:
        return build_xero_mcp(
            settings=XeroMcpSettings(url=self.mcp_url, limits=self.settings.xero_limits),
            database=self.storage.databases["xero_mcp"],
            store=PostgresXeroMcpStore(self.storage.sealer),
            lender=auth,
            consents=auth,
            endpoints=self.settings.xero,
            http=self.http,
            clock=self.clock,
        )

    def _ingest(
        self,
        auth: AuthService,
        connected: PostgresConnected,
        xero_mcp: XeroMcpService,
        qonto: QontoClient,
        blobs: SealedFiles,
    ) -> IngestService:
        settings, storage = self.settings, self.storage
        return build_ingest(
            database=storage.databases["ingest"],
            log=storage.log("ingest"),
            sealer=storage.sealer,
            blobs=blobs,
            qonto=qonto,
            lender=auth,
            workspaces=connected,
            carrying=storage.carrying,
            clock=self.clock,
            settings=IngestSettings(
                xero_mcp_url=xero_mcp.url,
                callback_url=f"{self.url}/ingest/oauth/callback",
                poll_seconds=settings.poll_seconds,
                overlap_seconds=settings.overlap_seconds,
                idle_seconds=settings.idle_seconds,
                lease_seconds=settings.document_lease_seconds,
            ),
        )
