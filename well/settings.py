"""What may be set about the process, read from the environment once, with every problem said at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from uuid import UUID

from libs.contracts.errors import Rejected
from libs.qonto.endpoints import PRODUCTION as QONTO_PRODUCTION
from libs.qonto.endpoints import SANDBOX as QONTO_SANDBOX
from libs.qonto.endpoints import Endpoints as QontoEndpoints
from libs.qonto.endpoints import endpoints_at as qonto_endpoints_at
from libs.xero.endpoints import XERO
from libs.xero.endpoints import Endpoints as XeroEndpoints
from libs.xero.endpoints import endpoints_at as xero_endpoints_at
from services.ingest.domain.registration import RegisteredByHand
from services.pusher.domain.retrying import ReadingRule, RetryRule
from services.xero_mcp.domain.budget import Limits
from well.database_url import own_database


@dataclass(frozen=True)
class Settings:
    """The settings of one process.

    Attributes:
        xero_client_id, xero_client_secret: The app registered at developer.xero.com.
        qonto_client_id, qonto_client_secret: The app registered in Qonto's developer portal.
        qonto_staging_token: Qonto's sandbox wants it with every call; it also chooses the sandbox.
        xero, qonto: Where the providers are.
        xero_limits: Xero's budget for one organisation.
        database_url: A Postgres of one's own; None starts the embedded one.
        poll_seconds, overlap_seconds: How often providers are read, and how far a window reaches back.
        idle_seconds: How often jobs look for work when there was none.
        document_lease_seconds: How long a document under way is left to its process before another takes it.
        retry: When a posting whose answer was lost is looked for, sent again, or given up to a person.
        reading: When what Qonto read off a document is asked for.
        registered_by_hand: Who ingest is at another MCP server's authorization server.
        documents_from_loopback: Whether MCP clients may keep their document on this machine; for those who write one.
        http_timeout_seconds: For one call to a provider. Qonto may take ten seconds for a large file; three times that.
        sign_in, open_workspace, mcp_consent: See auth's settings; anything but the defaults is for the demo.
    """

    xero_client_id: str
    xero_client_secret: str = field(repr=False)
    qonto_client_id: str
    qonto_client_secret: str = field(repr=False)
    qonto_staging_token: str | None = field(default=None, repr=False)
    xero: XeroEndpoints = XERO
    qonto: QontoEndpoints = QONTO_PRODUCTION
    xero_limits: Limits = field(default_factory=Limits)
    database_url: str | None = field(default=None, repr=False)
    poll_seconds: float = 900.0
    overlap_seconds: float = 300.0
    idle_seconds: float = 0.5
    document_lease_seconds: float = 60.0
    retry: RetryRule = field(default_factory=RetryRule)
    reading: ReadingRule = field(default_factory=ReadingRule)
    registered_by_hand: RegisteredByHand | None = None
    documents_from_loopback: bool = False
    http_timeout_seconds: float = 30.0
    sign_in: Literal["ticket", "open"] = "ticket"
    open_workspace: UUID | None = None
    mcp_consent: Literal["page", "auto"] = "page"


_HTTP: Final = re.compile(r"https?://[^\s/:@]+(:\d{1,5})?(/\S*)?")

REQUIRED = {
    "XERO_CLIENT_ID": "the client id of your app at developer.xero.com",
    "XERO_CLIENT_SECRET": "its client secret",
    "QONTO_CLIENT_ID": "the client id of your app in Qonto's developer portal",
    "QONTO_CLIENT_SECRET": "its client secret",
}


def registered_by_hand(environment: Mapping[str, str]) -> RegisteredByHand | None:
    """Who we are at the authorization server of another MCP server than ours, where a person registered us.

    Raises:
        Rejected: `bad_settings` when only half of it is said.
    """
    issuer, client_id = environment.get("WELL_XERO_MCP_ISSUER"), environment.get("WELL_XERO_MCP_CLIENT_ID")
    if not issuer and not client_id:
        return None
    if not issuer or not client_id:
        sentence = "WELL_XERO_MCP_ISSUER and WELL_XERO_MCP_CLIENT_ID belong together: set both or neither."
        raise Rejected(sentence, code="bad_settings")
    return RegisteredByHand(issuer, client_id, environment.get("WELL_XERO_MCP_CLIENT_SECRET"))


def standin_url(environment: Mapping[str, str], name: str) -> str:
    """The address of a stand-in that a variable names; empty when it names none.

    Raises:
        Rejected: `bad_settings` when it is no address.
    """
    url = environment.get(name, "")
    if url and not _HTTP.fullmatch(url):
        raise Rejected(f"{name} is no address of a stand-in, as in http://127.0.0.1:4801.", code="bad_settings")
    return url


def from_environment(environment: Mapping[str, str], url: str, *, asks_consent: bool = True) -> Settings:
    """The settings for real accounts.

    Args:
        environment: The variables.
        url: Where browsers will reach the process; the apps are registered with addresses below it.
        asks_consent: Whether the process does; the apps' ids and secrets are for no other.

    Raises:
        Rejected: `settings_missing`, naming every variable that is missing, what belongs into it and where the apps
            shall lead back to, or as `registered_by_hand`, `standin_url` and `own_database` say.
    """
    missing = [f"  {name}: {what}" for name, what in REQUIRED.items() if not environment.get(name)]
    if missing and asks_consent:
        leads_back = [f"  {provider}: {url}/connect/{provider.lower()}/callback" for provider in ("Xero", "Qonto")]
        lines = ["These variables are not set:", *missing, "Register your apps with these redirect addresses:"]
        raise Rejected("\n".join([*lines, *leads_back]), code="settings_missing")
    app = environment if asks_consent else dict.fromkeys(REQUIRED, "")
    staging_token = environment.get("QONTO_STAGING_TOKEN")
    xero_url, qonto_url = (standin_url(environment, name) for name in ("WELL_XERO_URL", "WELL_QONTO_URL"))
    qonto = QONTO_SANDBOX if staging_token else QONTO_PRODUCTION
    return Settings(
        xero_client_id=app["XERO_CLIENT_ID"],
        xero_client_secret=app["XERO_CLIENT_SECRET"],
        qonto_client_id=app["QONTO_CLIENT_ID"],
        qonto_client_secret=app["QONTO_CLIENT_SECRET"],
        qonto_staging_token=staging_token,
        xero=xero_endpoints_at(xero_url) if xero_url else XERO,
        qonto=qonto_endpoints_at(qonto_url) if qonto_url else qonto,
        database_url=own_database(environment),
        registered_by_hand=registered_by_hand(environment),
        documents_from_loopback=environment.get("WELL_LOOPBACK_CLIENTS") == "yes",
    )
