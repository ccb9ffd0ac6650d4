"""A whole pusher beside a stand-in of Qonto that listens."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

import httpx
from pypdf import PdfWriter

from libs.blobs.memory import MemoryBlobs
from libs.contracts.entities import Document
from libs.contracts.envelope import enveloped
from libs.contracts.errors import ConsentLost
from libs.contracts.events import Event
from libs.contracts.money import Money
from libs.crypto.lent import LentToken
from libs.database.port import Database
from libs.eventlog.port import Delivery, EventLog, Position
from libs.paper.paper import Paper
from libs.paper.render import render_bill
from libs.qonto.client import QontoClient
from libs.qonto.standin import DEFAULT_ORGANIZATION, Standin
from libs.runtime.clock import ShiftedClock
from libs.runtime.rounds import any_of_them
from services.auth.main import AuthService
from services.pusher.adapters.qonto_http import QontoOverHttp
from services.pusher.config import PusherConfig
from services.pusher.domain.posting import Posting
from services.pusher.domain.retrying import RetryRule
from services.pusher.main import PusherService, assemble
from services.pusher.ports import Store
from tests.support.auth import OneOf
from tests.unit.pusher.stories import BILL, EXPECTED, decided, fetched, pdf


@dataclass(frozen=True)
class Rows:
    """A store with the database and log beside it."""

    database: Database
    log: EventLog
    store: Store
    workspace: UUID


RULE = RetryRule()

IMPATIENT_SECONDS = 0.3
"""How long a request waits for an answer that a test holds back."""


def paper(total_minor: int = 128400) -> bytes:
    """The bill that the decisions of these tests expect, or one with another total."""
    return render_bill(
        Paper(
            supplier_name=str(EXPECTED.supplier_name),
            number=EXPECTED.number,
            issue_date=date(2026, 10, 12),
            due_date=date(2026, 11, 11),
            currency="EUR",
            net=Money(minor=total_minor - 21400, currency="EUR"),
            tax=Money(minor=21400, currency="EUR"),
            total=Money(minor=total_minor, currency="EUR"),
        )
    )


def blank_page() -> bytes:
    """A sound PDF on which nothing can be read."""
    writer, whole = PdfWriter(), io.BytesIO()
    writer.add_blank_page(595, 842)
    writer.write(whole)
    return whole.getvalue()


class Lender:
    """Auth, as far as the pusher sees it: one grant, whose tokens can be made to expire or be taken back."""

    def __init__(self, standin: Standin) -> None:
        self._standin = standin
        self.secret = standin.token()
        self.account = str(DEFAULT_ORGANIZATION)
        self.state: Literal["active", "lost"] = "active"
        self.revoked = False
        self.refused_count = 0

    async def lend(self, borrower: str, workspace: UUID, provider: str) -> LentToken:
        """The current token."""
        assert (borrower, provider) == ("pusher", "qonto")
        assert workspace
        if self.state == "lost":
            raise ConsentLost("Reconnect Qonto.")
        return LentToken(self.secret, self.account, self._standin.world.now() + timedelta(hours=1))

    async def refused(self, workspace: UUID, provider: str, secret: str) -> None:
        """Refresh, or lose the connection."""
        assert (workspace, provider) is not None
        self.refused_count += 1
        if self.revoked:
            self.state = "lost"
            raise ConsentLost("Reconnect Qonto.")
        if secret == self.secret:
            self.secret = self._standin.token()


class One:
    """Who there is to work for: one workspace."""

    def __init__(self, workspace: UUID, lender: Lender) -> None:
        self._workspace = workspace
        self._lender = lender

    async def connected(self, provider: str) -> Sequence[UUID]:
        """The one, while it is connected."""
        assert provider == "qonto"
        return [self._workspace] if self._lender.state == "active" else []


class Stage:
    """The pusher, what it hears, and what Qonto holds in the end; with auth itself, or with a grant to play with."""

    def __init__(
        self,
        rows: Rows,
        standin: Standin,
        http: httpx.AsyncClient,
        clock: ShiftedClock,
        *,
        auth: AuthService | None = None,
    ) -> None:
        self.clock = clock
        self.standin = standin
        self.workspace = rows.workspace
        self.lender = Lender(standin)
        self.client = QontoClient(http, standin.url)
        self._blobs = MemoryBlobs()
        self._http = http
        self._rows = rows
        self._auth = auth
        self.pusher = self.start()

    def start(self) -> PusherService:
        """A pusher over the same rows, as after a restart."""
        return assemble(
            database=self._rows.database,
            log=self._rows.log,
            store=self._rows.store,
            qonto=QontoOverHttp(self.client, self._auth or self.lender),
            clock=self.clock,
            blobs=self._blobs,
            workspaces=OneOf(self._auth, self.workspace) if self._auth else One(self.workspace, self.lender),
            due=lambda _: any_of_them,
            config=PusherConfig(retry=RULE),
        )

    async def hear(self, payload: Event, *, record: str = BILL) -> None:
        """Let the pusher hear an event."""
        now = self.clock.now()
        event = enveloped(payload, workspace=self.workspace, record=record, cause=uuid4(), occurred_at=now)
        delivery = Delivery(Position("matcher", event.topic, event.bucket, 1), event)
        async with self._rows.database.transaction(self.workspace) as tx:
            await self._rows.log.append(tx, await self.pusher.subscriptions[0].handler(tx, [delivery]))

    async def intend(self, content: bytes | None = None, *, record: str = BILL, generation: int = 1) -> None:
        """Let a bill be decided to be posted, with its document."""
        content = paper() if content is None else content
        await self._blobs.put(self.workspace, content)
        document: Document = pdf(content)
        await self.hear(decided(generation), record=record)
        await self.hear(fetched(generation, document), record=record)

    async def submit(self, *, after_seconds: float = 0, impatient: bool = False) -> None:
        """Let time pass, then let the pusher send what is due; `impatient` when an answer will be held back."""
        self.clock.advance(after_seconds)
        patience, self._http.timeout = self._http.timeout, httpx.Timeout(IMPATIENT_SECONDS if impatient else 10)
        await self.pusher.workers[0].step()
        self._http.timeout = patience

    async def read_back(self, *, after_seconds: float = 0) -> None:
        """Let time pass, then let the pusher read back what is due."""
        self.clock.advance(after_seconds)
        await self.pusher.workers[1].step()

    async def posting(self, record: str = BILL) -> Posting:
        """The newest posting of the bill."""
        posting = await self.pusher.posting(self.workspace, record)
        assert posting is not None
        return posting

    async def uploads(self) -> int:
        """Invoices that Qonto made of uploads."""
        counts: dict[str, int] = await self.standin_says("uploads_by_file_name")
        return sum(counts.values())

    async def fault(self, kind: str, *, method: str = "POST", times: int = 1, **more: int) -> None:
        """Order trouble for the supplier invoices."""
        order = {"method": method, "path": "/v2/supplier_invoices", "kind": kind, "times": times, **more}
        await self.standin_does("faults", **order)

    async def standin_says(self, path: str) -> Any:  # noqa: ANN401 - JSON of many shapes
        """Ask the stand-in."""
        return (await self._http.get(f"{self.standin.url}/_standin/{path}")).raise_for_status().json()

    async def standin_does(self, path: str, /, **order: object) -> Any:  # noqa: ANN401 - the same
        """Order something of the stand-in."""
        answer = await self._http.post(f"{self.standin.url}/_standin/{path}", json=order)
        return answer.raise_for_status().json()
