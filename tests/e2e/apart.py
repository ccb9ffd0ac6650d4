"""Every service of Well as a process of its own, over one Postgres, beside both stand-ins."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
import httpx

from libs.database.embedded import EmbeddedServer
from libs.eventlog.reader import PostgresLogReader
from tests.support.ports import free_port
from tests.support.until import until
from tests.support.web import web_client
from well.apart import NEEDS
from well.demo.scene import TENANT, truth_of
from well.demo.standins import Standins
from well.demo.summary import Summary, summarise
from well.home import Installation

START_SECONDS: Final = 60.0
"""Seconds until six processes that start at once are ready on a busy machine; a fifth of it on an idle one."""

END_SECONDS: Final = 180.0
"""Seconds for a run to its end, beside everything else a machine does."""

_WELL: Final = Path(sys.executable).with_name("well")

_STILL: Final = """
SELECT (SELECT count(*) FROM matcher.decision),
       (SELECT count(*) FROM matcher.bill WHERE is_due)
     + (SELECT count(*) FROM ingest.document_job WHERE state = 'waiting')
     + (SELECT count(*) FROM pusher.posting WHERE state IN ('intended', 'sent', 'unknown', 'settled'))
"""


_COUNTS = (
    "SELECT count(*) FROM ingest.event_log",
    "SELECT count(*) FROM matcher.event_log",
    "SELECT count(*) FROM pusher.event_log",
)


@dataclass
class Apart:
    """The processes, and the world they work in.

    Attributes:
        installation: Where stand-ins, Postgres, documents and keys lie.
        standins: Both providers.
        dsn: The Postgres, as superuser.
        admin: The same, opened.
        server: The same, to be started again when it was killed.
        ports: Where each service listens, and for gRPC.
        workspace: The one customer.
        bytecode: Where Python keeps what it compiled.
        kafka: Of the cluster that events come through: brokers, and what our topics begin with; None without one.
        log_level: How much processes write to their logs.
    """

    installation: Installation
    standins: Standins
    dsn: str
    admin: asyncpg.Pool
    server: EmbeddedServer
    ports: dict[str, tuple[int, int]]
    workspace: UUID
    bytecode: Path
    kafka: tuple[str, str] | None = None
    log_level: str = "warning"
    started: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    reader: PostgresLogReader = field(init=False)

    def url(self, service: str) -> str:
        """Where a service listens."""
        return f"http://localhost:{self.ports[service][0]}"

    def start(self, *names: str) -> None:
        """Start services, each as a process of its own; a second one of a service is named `matcher-2`."""
        for name in names:
            self.ports.setdefault(name, (free_port(), free_port()))
            self.started[name] = self._process("run", _service_of(name), named=name)

    async def command(self, *words: str) -> str:
        """Run a command to its end; gives what it wrote."""
        process = self._process(*words)

        async def ended() -> bool:
            return process.poll() is not None

        await until(ended, deadline_seconds=START_SECONDS)
        assert process.returncode == 0, self.complaints(words[-1])
        return (self.installation.folder / f"{Path(words[-1]).name}.out").read_text("utf-8")

    async def ready(self, *services: str) -> None:
        """Return when services are ready."""
        async with web_client() as http:

            async def all_are() -> bool:
                return all([await self._is_ready(http, service) for service in services])

            await until(all_are, deadline_seconds=START_SECONDS)

    async def connect(self) -> None:
        """Click **Connect Qonto** and **Connect Xero**."""
        async with web_client(follow_redirects=True) as browser:
            for address in (f"{self.url('auth')}/connect/qonto", f"{self.url('ingest')}/ingest/connect/xero"):
                page = await browser.get(address)
                assert page.status_code == httpx.codes.OK, page.text
                assert "connected" in page.text.lower()

    async def finished(self, *, deadline_seconds: float = END_SECONDS) -> Summary:
        """The summary, as soon as nothing is left that happens by itself."""
        found: list[Summary] = []

        async def at_rest() -> bool:
            self.all_run()
            if await self.unfinished():
                return False
            found.append(await self.summary())
            return found[-1].lost == 0 and found[-1].bills > 0

        await until(at_rest, deadline_seconds=deadline_seconds)
        return found[-1]

    async def unfinished(self) -> bool:
        """Whether nothing has been decided yet, or something is under way."""
        decided, still = await self.admin.fetchrow(_STILL)
        return not decided or bool(still)

    async def events(self) -> int:
        """How many events stand in the logs."""
        return sum([int(await self.admin.fetchval(count)) for count in _COUNTS])

    async def summary(self) -> Summary:
        """What the logs and both providers say of the run."""
        return await summarise(
            self.reader,
            self.standins,
            truth_of(self.installation),
            tenant=TENANT,
            workspace=self.workspace,
            consent=datetime.now(UTC),
            seconds=0,
            start_seconds=0,
        )

    def kill(self, service: str) -> None:
        """Kill a service with the signal that nothing can catch."""
        process = self.started[service]
        process.kill()
        assert process.wait() == -signal.SIGKILL, self.complaints(service)

    async def stop(self, *services: str) -> dict[str, int]:
        """Ask services to stop; gives the status of each."""
        for service in services:
            self.started[service].terminate()

        async def all_ended() -> bool:
            return all(self.started[service].poll() is not None for service in services)

        await until(all_ended, deadline_seconds=30.0)  # what orchestrators allow before they kill
        return {service: self.started.pop(service).returncode for service in services}

    def all_run(self) -> None:
        """Fail when a service has ended by itself."""
        for service, process in self.started.items():
            assert process.poll() is None, self.complaints(service)

    def complaints(self, name: str) -> str:
        """What a command wrote to standard error."""
        return (self.installation.folder / f"{name}.err").read_text("utf-8")

    async def _is_ready(self, http: httpx.AsyncClient, service: str) -> bool:
        self.all_run()
        try:
            return (await http.get(f"{self.url(service)}/readyz", timeout=5)).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _process(self, *words: str, named: str = "auth") -> subprocess.Popen[bytes]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WELL_")}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        environment = {**kept, "PYTHONPYCACHEPREFIX": str(self.bytecode), **self._variables(words, named)}
        written = self.installation.folder / (named if words[0] == "run" else Path(words[-1]).name)
        with written.with_suffix(".out").open("ab") as output, written.with_suffix(".err").open("ab") as errors:
            return subprocess.Popen(
                [_WELL, *words], stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=environment
            )

    def _variables(self, words: tuple[str, ...], named: str) -> dict[str, str]:
        """What a command is told: a service only what it needs."""
        installation = self.installation
        said = {
            "WELL_DATABASE_URL": self.dsn,
            "WELL_KEY_FILE": str(installation.key_file),
            "WELL_SERVICE_SECRET_FILE": str(installation.folder / "secrets" / words[-1]),
            "WELL_AUTH_URL": self.url("auth"),
            "WELL_XERO_MCP_URL": self.url("xero_mcp"),
            "WELL_BLOBS": str(installation.blobs),
        }
        if words[0] == "secrets":
            return {"WELL_KEY_FILE": said["WELL_KEY_FILE"]}
        if words[:2] == ("topics", "apply"):
            return self._cluster()
        if words[0] == "migrate":
            return {"WELL_DATABASE_URL": self.dsn, "WELL_SERVICE_SECRETS": str(installation.folder / "secrets")}
        port, grpc_port = self.ports[named]
        return {
            **{name: said[name] for name in NEEDS[_service_of(named)] if name in said},
            "WELL_LISTEN": f"127.0.0.1:{port}",
            "WELL_GRPC_LISTEN": f"127.0.0.1:{grpc_port}",
            "WELL_XERO_URL": self.standins.xero_url,
            "WELL_QONTO_URL": self.standins.qonto_url,
            "WELL_OPEN_WORKSPACE": str(self.workspace),
            "WELL_LOG": self.log_level,
            **self._cluster(),
        }

    def _cluster(self) -> dict[str, str]:
        return dict(zip(("WELL_KAFKA", "WELL_TOPIC_PREFIX"), self.kafka, strict=True)) if self.kafka else {}


def _service_of(name: str) -> str:
    return name.split("-", 1)[0]
