"""What a service that runs apart is told by its environment, with every problem said at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

from libs.contracts.errors import Rejected
from well.database_url import own_database
from well.key_service import vault_from
from well.settings import Settings, from_environment, standin_url
from well.standin_settings import at_standins
from well.transport import Cluster

if TYPE_CHECKING:
    from libs.crypto.vault import VaultAt

_SAID: Final = {
    "WELL_DATABASE_URL": "where Postgres is; the service logs in as its own role, whatever user this names",
    "WELL_KEY_FILE": "the installation's key",
    "WELL_SERVICE_SECRET_FILE": "the service's secret, as `well secrets` writes it",
    "WELL_AUTH_URL": "where auth listens",
    "WELL_XERO_MCP_URL": "where browsers and ingest reach xero_mcp, as in https://mcp.example.com",
    "WELL_BLOBS": "the folder of documents, which ingest and pusher share",
    "WELL_KAFKA": "the brokers of a Kafka cluster; figures are read from its topics",
}

_APART: Final = ("WELL_DATABASE_URL", "WELL_SERVICE_SECRET_FILE", "WELL_AUTH_URL")

NEEDS: Final = {
    "auth": ("WELL_DATABASE_URL", "WELL_KEY_FILE"),
    "xero_mcp": (*_APART, "WELL_XERO_MCP_URL"),
    "ingest": (*_APART, "WELL_XERO_MCP_URL", "WELL_BLOBS"),
    "matcher": _APART,
    "pusher": (*_APART, "WELL_BLOBS"),
    "console": _APART,
    "insights": ("WELL_SERVICE_SECRET_FILE", "WELL_AUTH_URL", "WELL_KAFKA"),
}
"""The services that run apart, and what each must be told. The key is auth's alone."""

_LISTEN: Final = "0.0.0.0:8080"
_GRPC_LISTEN: Final = "0.0.0.0:9090"


@dataclass(frozen=True)
class Apart:
    """What one service is told. What it does not need is empty.

    Attributes:
        service: Which one.
        settings: As of the process that does everything.
        database_url: Where Postgres is.
        host, port: Where it listens for HTTP.
        grpc: Where it listens for gRPC, `host:port`.
        public_url: Where browsers reach it.
        auth_url: Where auth listens.
        xero_mcp_url: Where browsers and ingest reach xero_mcp.
        blobs: The folder of documents.
        key_file: The installation's key; auth's alone.
        secret_file: The service's secret.
        vault: Where auth's keys are wrapped; None wraps them with the key file.
        cluster: The Kafka that events come through; None lets them come through Postgres.
        insights_group: Under which name insights reads; None for the usual one.
    """

    service: str
    settings: Settings
    database_url: str = field(repr=False)
    host: str
    port: int
    grpc: str
    public_url: str
    auth_url: str
    xero_mcp_url: str
    blobs: Path
    key_file: Path
    secret_file: Path
    vault: VaultAt | None
    cluster: Cluster | None
    insights_group: str | None


def apart_from(service: str, environment: Mapping[str, str]) -> Apart:
    """What the environment says.

    Raises:
        Rejected: `settings_missing`, naming every variable that is missing and what belongs into it; `bad_settings`; or
            as `own_database` and `vault_from` say.
    """
    missing = [f"  {name}: {_SAID[name]}" for name in NEEDS[service] if not environment.get(name)]
    if missing:
        lines = [f"{service} needs these variables, which are not set:", *missing]
        raise Rejected("\n".join(lines), code="settings_missing")
    host, port = _host_and_port("WELL_LISTEN", environment.get("WELL_LISTEN") or _LISTEN)
    grpc_host, grpc_port = _host_and_port("WELL_GRPC_LISTEN", environment.get("WELL_GRPC_LISTEN") or _GRPC_LISTEN)
    public_url = environment.get("WELL_PUBLIC_URL") or f"http://localhost:{port}"
    return Apart(
        service=service,
        settings=_settings(service, environment, public_url),
        database_url=own_database(environment) or "",
        host=host,
        port=port,
        grpc=f"{grpc_host}:{grpc_port}",
        public_url=public_url,
        auth_url=environment.get("WELL_AUTH_URL", ""),
        xero_mcp_url=environment.get("WELL_XERO_MCP_URL", ""),
        blobs=Path(environment.get("WELL_BLOBS", "")),
        key_file=Path(environment.get("WELL_KEY_FILE", "")),
        secret_file=Path(environment.get("WELL_SERVICE_SECRET_FILE", "")),
        vault=vault_from(environment) if service == "auth" else None,
        cluster=_cluster(environment),
        insights_group=environment.get("WELL_INSIGHTS_GROUP") or None,
    )


def _cluster(environment: Mapping[str, str]) -> Cluster | None:
    bootstrap = environment.get("WELL_KAFKA")
    return Cluster(bootstrap, environment.get("WELL_TOPIC_PREFIX", "")) if bootstrap else None


def _settings(service: str, environment: Mapping[str, str], public_url: str) -> Settings:
    if environment.get("WELL_OPEN_WORKSPACE"):
        return _open_to_all(environment)
    return from_environment(environment, public_url, asks_consent=service == "auth")


def _open_to_all(environment: Mapping[str, str]) -> Settings:
    """To try it out: every visit is of one workspace, which only stand-ins may be behind."""
    workspace = environment["WELL_OPEN_WORKSPACE"]
    xero_url, qonto_url = (standin_url(environment, name) for name in ("WELL_XERO_URL", "WELL_QONTO_URL"))
    if not xero_url or not qonto_url:
        raise Rejected(
            "WELL_OPEN_WORKSPACE is for stand-ins: set WELL_XERO_URL and WELL_QONTO_URL.", code="bad_settings"
        )
    try:
        return at_standins(xero_url, qonto_url, UUID(workspace))
    except ValueError:
        raise Rejected("WELL_OPEN_WORKSPACE is no id of a workspace.", code="bad_settings") from None


def _host_and_port(name: str, text: str) -> tuple[str, int]:
    found = re.fullmatch(r"([A-Za-z0-9.-]+):([0-9]{1,5})", text)
    if found is None:
        raise Rejected(f"{name} is {text!r}; it reads like 0.0.0.0:8080.", code="bad_settings")
    return found[1], int(found[2])
