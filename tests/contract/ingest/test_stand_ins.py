"""Ingest as it is wired, against the stand-ins of Xero and Qonto, through the real xero_mcp and auth. Real HTTP."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer

from libs.auth_client.wire import SESSION_COOKIE
from libs.blobs.memory import MemoryBlobs
from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.events import DocumentFetched, DocumentMissing, EntityNormalized, MatchDecided, RecordPulled
from libs.contracts.identity import record_of
from libs.crypto.keyring import Sealers
from libs.eventlog.port import Delivery, Position
from libs.qonto.client import QontoClient
from services.ingest.adapters.memory import MemoryStore
from services.ingest.api import CALLBACK_PATH
from services.ingest.config import IngestSettings
from services.ingest.main import IngestService, build
from tests.contract.ingest.awkward import pdf
from tests.contract.ingest.conftest import Kept, of_type
from tests.contract.ingest.test_qonto_http import Lender
from tests.contract.xero_mcp.conftest import BILL, CALLBACK, McpStage, mcp_stage
from tests.support.auth import TENANT, OneOf, calls, told
from tests.support.memory import MemoryFixture
from tests.support.web import web_client

pytestmark = pytest.mark.parametrize("backend", ["memory"], indirect=True)


@dataclass
class Stage:
    """A running Xero side and ingest over it, connected."""

    kept: Kept
    outside: McpStage
    ingest: IngestService

    async def work(self) -> None:
        """Let every worker do what is due, and normalise."""
        for worker in self.ingest.workers:
            while await worker.step():
                pass
        await self.kept.drain(self.ingest.subscriptions[0])

    async def holds(self, **records: Sequence[dict[str, Any]]) -> None:
        """Put records into Xero."""
        await told(self.outside.xero, "records", {"tenant_id": TENANT, **records})

    async def holds_bill(self, content: bytes) -> str:
        """Put a bill with one file into Xero."""
        bill = str(uuid4())
        await self.holds(
            invoices=[{"InvoiceID": bill, "Type": "ACCPAY", "Status": "AUTHORISED", "Total": "1.00"}],
            attachments=[
                {
                    "invoice_id": bill,
                    "attachment_id": str(uuid4()),
                    "file_name": "scan.pdf",
                    "content_base64": base64.b64encode(content).decode(),
                }
            ],
        )
        return bill

    async def events(self, *types: type) -> list[Envelope]:
        return of_type(await self.kept.events(), *types)


@asynccontextmanager
async def staged(kept: Kept) -> AsyncIterator[Stage]:
    fixture = kept.fixture
    assert isinstance(fixture, MemoryFixture)
    async with mcp_stage(fixture) as outside, web_client() as http:
        ingest = build(
            database=kept.database,
            log=kept.log,
            sealers=Sealers(kept.sealer, kept.sealer, kept.sealer),
            blobs=MemoryBlobs(),
            qonto=QontoClient(http, "http://127.0.0.1:9"),
            lender=Lender([]),
            workspaces=OneOf(outside.auth.service, outside.workspace),
            visitors=outside.auth.service,
            clock=outside.clock,
            settings=IngestSettings(outside.mcp.url, CALLBACK),
            store=MemoryStore(),
        )
        async with TestClient(TestServer(ingest.app)) as our_callback:

            async def browse(url: str) -> None:
                words = await outside.visit(url)
                async with outside.auth.signed_in(outside.workspace) as browser:
                    session = {SESSION_COOKIE: browser.cookies[SESSION_COOKIE]}
                assert (await our_callback.get(CALLBACK_PATH, params=words, cookies=session)).status == 200

            await ingest.connect_xero(outside.workspace, browse)
            yield Stage(kept, outside, ingest)
        await ingest.close()


async def xero_calls(stage: Stage) -> int:
    counted = await calls(stage.outside.xero)
    return sum(count for call, count in counted.items() if "/api.xro/" in call)


async def test_a_bill_comes_from_xero_with_its_cents_and_an_unchanged_one_makes_no_event(kept: Kept) -> None:
    async with staged(kept) as stage:
        await stage.work()
        bills = [event.payload for event in await stage.events(EntityNormalized) if event.record.endswith(BILL)]
        assert isinstance(bills[0], EntityNormalized)
        assert bills[0].entity.kind == "bill"
        assert str(bills[0].entity.total) == "EUR 119.90"
        before = len(await kept.events())
        stage.outside.clock.advance(900)
        await stage.work()
        assert len(await kept.events()) == before


async def test_a_thousand_changed_bills_cost_at_most_four_calls_of_xero(kept: Kept) -> None:
    # Source: the design, "Numbers to hold".
    async with staged(kept) as stage:
        await stage.work()
        await stage.holds(
            invoices=[
                {"InvoiceID": str(uuid4()), "Type": "ACCPAY", "Status": "AUTHORISED", "Total": "1.00"}
                for _ in range(1000)
            ]
        )
        before = await xero_calls(stage)
        stage.outside.clock.advance(900)
        await stage.work()
        assert await xero_calls(stage) - before <= 4
        assert len(await stage.events(RecordPulled)) >= 1000


async def test_a_decision_to_post_brings_the_file_from_xero(kept: Kept) -> None:
    async with staged(kept) as stage:
        bill = await stage.holds_bill(pdf())
        await decide_to_post(stage, bill)
        await stage.work()
        [said] = await stage.events(DocumentFetched, DocumentMissing)
        assert isinstance(said.payload, DocumentFetched)
        assert said.payload.document.file_name == "scan.pdf"
        assert said.payload.document.sha256 == hashlib.sha256(pdf()).hexdigest()


async def test_a_broken_file_is_said_to_be_broken(kept: Kept) -> None:
    async with staged(kept) as stage:
        await decide_to_post(stage, BILL)
        await stage.work()
        [said] = await stage.events(DocumentFetched, DocumentMissing)
        assert isinstance(said.payload, DocumentMissing)
        assert said.payload.code == "document_broken"


async def test_a_file_beyond_qontos_limit_is_not_downloaded(kept: Kept) -> None:
    async with staged(kept) as stage:
        bill = await stage.holds_bill(b"%PDF-" + bytes(11_000_000 - 5))
        await decide_to_post(stage, bill)
        await stage.work()
        [said] = await stage.events(DocumentMissing)
        assert isinstance(said.payload, DocumentMissing)
        assert said.payload.code == "document_too_large"
        assert "11.0 MB" in said.payload.sentence


async def test_after_an_hour_the_token_is_refreshed_without_a_person(kept: Kept) -> None:
    async with staged(kept) as stage:
        await stage.work()
        stage.outside.clock.advance(timedelta(hours=2).total_seconds())
        await stage.work()
        shown = (await stage.ingest.status(stage.outside.workspace)).pulls["xero"]
        assert (shown.windows, shown.failures) == (2, 0)


async def test_a_consent_revoked_mid_run_waits_and_goes_on_after_reconnecting(kept: Kept) -> None:
    async with staged(kept) as stage:
        workspace, auth = stage.outside.workspace, stage.outside.auth
        await stage.work()
        await decide_to_post(stage, await stage.holds_bill(pdf()))
        await told(stage.outside.xero, "revoke", {"tenant_id": TENANT})
        stage.outside.clock.advance(900)
        await stage.work()
        assert await auth.service.connection_state(workspace, "xero") == "lost"
        shown = await stage.ingest.status(workspace)
        assert shown.pulls["xero"].sentence is not None
        assert shown.documents == {"waiting": 1}
        await auth.connect(workspace, "xero")
        stage.outside.clock.advance(900)
        await stage.work()
        shown = await stage.ingest.status(workspace)
        assert (shown.pulls["xero"].sentence, shown.pulls["xero"].windows) == (None, 2)
        assert shown.documents == {"done": 1}


async def decide_to_post(stage: Stage, bill: str) -> None:
    payload = MatchDecided(
        verdict="post",
        reason="none_of_them",
        sentence="Qonto does not have it.",
        generation=1,
        bill_sha256="0" * 64,
        confidence=0.9,
        none_confidence=0.9,
        model="m",
        policy="p",
    )
    workspace = stage.outside.workspace
    record = record_of("xero", "bill", bill)
    decision = enveloped(
        payload, workspace=workspace, record=record, cause=uuid4(), occurred_at=stage.outside.clock.now()
    )
    async with stage.kept.database.transaction(workspace) as tx:
        await stage.ingest.subscriptions[1].handler(
            tx, [Delivery(Position("matcher", decision.topic, decision.bucket, 1), decision)]
        )
