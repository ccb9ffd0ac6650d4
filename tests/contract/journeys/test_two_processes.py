"""Two processes of Well over one database, one set of keys, one folder of documents: each bill is posted once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from libs.contracts.money import Money
from libs.paper import Paper
from libs.qonto.standin import running_standin as running_qonto
from libs.xero.standin import running_standin as running_xero
from tests.contract.journeys.stage import Customer, bill_of, books_of
from tests.support.postgres import PostgresFixture
from tests.support.until import until
from tests.support.web import web_client
from well.home import Installation

ROOT = Path(__file__).parents[3]
CUSTOMER = Customer(uuid4(), "ffffffff-0000-4000-8000-0000000000ff", str(uuid4()), "Fenouil", 60)

RUN_SECONDS = 90.0
"""Seconds until 60 bills are posted and read back by two processes on a busy machine; a tenth on an idle one."""


@dataclass(frozen=True)
class Members:
    """The processes, and the world they work in."""

    http: httpx.AsyncClient
    xero_url: str
    qonto_url: str
    environment: dict[str, str]
    postgres: PostgresFixture
    started: list[Process]

    async def start(self) -> Process:
        """One more process, connected."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.contract.journeys.member",
            cwd=ROOT,
            env={**os.environ, **self.environment},
            stdout=PIPE,
        )
        self.started.append(process)
        assert process.stdout is not None
        async with asyncio.timeout(RUN_SECONDS):
            assert await process.stdout.readline() == b"connected\n"
        return process

    async def tell(self, url: str, path: str, words: dict[str, Any]) -> None:
        """Tell a stand-in something."""
        (await self.http.post(f"{url}/_standin/{path}", json=words)).raise_for_status()

    async def uploads(self) -> Counter[str]:
        """How often Qonto was given each content."""
        answer = (await self.http.get(f"{self.qonto_url}/_standin/invoices")).raise_for_status().json()
        return Counter(invoice["sha256"] for invoice in answer["invoices"] if invoice["uploaded"])

    async def postings(self, admin: asyncpg.Pool) -> dict[str, int]:
        """Postings by state."""
        rows = await admin.fetch("SELECT state, count(*) FROM pusher.posting GROUP BY state")
        return {row["state"]: row["count"] for row in rows}


@asynccontextmanager
async def _members(postgres: PostgresFixture, folder: Path) -> AsyncIterator[Members]:
    installation = Installation(folder / "live")
    installation.make()
    async with running_xero() as xero, running_qonto() as qonto, web_client() as http:
        environment = {
            "MEMBER_WORKSPACE": str(CUSTOMER.workspace),
            "MEMBER_XERO": xero.url,
            "MEMBER_QONTO": qonto.url,
            "MEMBER_DSN": postgres.dsn,
            "MEMBER_FOLDER": str(installation.folder),
        }
        members = Members(http, xero.url, qonto.url, environment, postgres, [])
        await members.tell(xero.url, "limits", {"minute": 10_000, "day": 100_000, "concurrent": 16})
        await members.tell(xero.url, "organisations", {"tenant_id": CUSTOMER.tenant, "name": CUSTOMER.word})
        await members.tell(xero.url, "settings", {"consent": "auto", "tenant_id": CUSTOMER.tenant})
        await members.tell(qonto.url, "organizations", {"id": CUSTOMER.organization, "name": CUSTOMER.word})
        await members.tell(
            qonto.url,
            "settings",
            {"consent": "auto", "consent_organization": CUSTOMER.organization, "analysis_delay_seconds": 0},
        )
        try:
            yield members
        finally:
            for process in members.started:
                if process.returncode is None:
                    process.terminate()
                await process.wait()


def _documented() -> dict[str, list[dict[str, Any]]]:
    return {
        "contacts": books_of(CUSTOMER)["contacts"],
        "invoices": [bill_of(CUSTOMER, number, HasAttachments=True) for number in range(CUSTOMER.bills)],
        "attachments": [_document(number) for number in range(CUSTOMER.bills)],
    }


def _document(number: int) -> dict[str, Any]:
    total = Money(minor=10050 + 7900 * number, currency="EUR")
    paper = Paper(
        supplier_name="Fenouil Papier",
        number=f"Fenouil-{number}",
        issue_date=date(2026, 10, 1),
        currency="EUR",
        net=total,
        tax=Money(minor=0, currency="EUR"),
        total=total,
    )
    return {
        "invoice_id": CUSTOMER.bill_ids()[number],
        "attachment_id": f"ffffffff-2222-4000-8000-{number:012d}",
        "file_name": f"Fenouil-{number}.pdf",
        "mime_type": "application/pdf",
        "paper": paper.model_dump(mode="json"),
    }


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True], ids=["both-live", "one-is-killed"])
async def test_two_processes_share_the_work_of_one_workspace_and_do_each_thing_once(
    postgres: PostgresFixture, tmp_path: Path, *, killed: bool
) -> None:
    admin = await postgres.admin()
    async with _members(postgres, tmp_path) as members:
        first, _ = await members.start(), await members.start()
        await members.tell(members.xero_url, "records", {"tenant_id": CUSTOMER.tenant, **_documented()})

        async def some_uploaded() -> bool:
            return (await members.uploads()).total() >= 5

        await until(some_uploaded, deadline_seconds=RUN_SECONDS)
        if killed:
            first.send_signal(signal.SIGKILL)
            assert await first.wait() == -signal.SIGKILL

        async def all_verified() -> bool:
            return (await members.postings(admin)).get("verified", 0) == CUSTOMER.bills

        try:
            await until(all_verified, deadline_seconds=RUN_SECONDS)
        except AssertionError:
            pulls = [
                dict(row) for row in await admin.fetch("SELECT provider, failures, sentence, due_at FROM ingest.pull")
            ]
            raise AssertionError((await members.postings(admin), pulls)) from None
        uploads = await members.uploads()
        assert set(uploads.values()) == {1}
        assert uploads.total() == CUSTOMER.bills
        assert await admin.fetchval("SELECT count(*) FROM pusher.posting") == CUSTOMER.bills
        dead = "SELECT count(*) FROM {0}.event_log WHERE topic LIKE '%.dlq'"
        assert [await admin.fetchval(dead.format(log)) for log in ("ingest", "matcher", "pusher", "console")] == [0] * 4
