"""Well and both providers in one process, and customers with an organisation of their own at each of them."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

import httpx

from libs.qonto.endpoints import endpoints_at as qonto_at
from libs.qonto.standin import Standin as QontoStandin
from libs.qonto.standin import running_standin as running_qonto
from libs.runtime.clock import SystemClock
from libs.xero.endpoints import endpoints_at as xero_at
from libs.xero.standin import Standin as XeroStandin
from libs.xero.standin import running_standin as running_xero
from services.pusher.domain.retrying import ReadingRule, RetryRule
from services.xero_mcp.domain.budget import Limits
from tests.support.until import until
from tests.support.web import web_client
from well.all_in_one import AllInOne, running_well
from well.home import Installation
from well.settings import Settings

_CLIENT = "well-demo"
_SECRET = "well-demo-secret"  # noqa: S105 the stand-ins' own


@dataclass(frozen=True)
class Customer:
    """A customer: a workspace, its Xero organisation, its Qonto organization, and a word that only its books hold."""

    workspace: UUID
    tenant: str
    organization: str
    word: str
    bills: int

    def bill_ids(self) -> list[str]:
        """Xero's ids of its bills."""
        return [f"{self.tenant[:8]}-0000-4000-8000-{number:012d}" for number in range(self.bills)]


@dataclass(frozen=True)
class Stage:
    """Well and both providers."""

    well: AllInOne
    xero: XeroStandin
    qonto: QontoStandin
    http: httpx.AsyncClient

    async def open_for(self, customer: Customer, **books: list[dict[str, Any]]) -> None:
        """A customer opens accounts, books its bills and connects both providers."""
        await self.tell_xero("organisations", {"tenant_id": customer.tenant, "name": customer.word})
        await self.tell_qonto("organizations", {"id": customer.organization, "name": customer.word})
        await self.book(customer, **books)
        await self.connect(customer)

    async def book(self, customer: Customer, **books: list[dict[str, Any]]) -> None:
        """Put contacts, invoices and attachments into a customer's books, or change them."""
        await self.tell_xero("records", {"tenant_id": customer.tenant, **books})

    async def connect(self, customer: Customer) -> None:
        """Connect both providers, by clicking through."""
        await self.consent_for(customer)
        async with self.browser(customer) as browser:

            async def visit(address: str) -> None:
                await _click_through(browser, address)

            await visit(f"{self.well.url}/connect/qonto")
            await self.well.services.ingest.connect_xero(customer.workspace, visit)

    async def consent_for(self, customer: Customer) -> None:
        """From now on both providers say yes for a customer's accounts."""
        await self.tell_xero("settings", {"consent": "auto", "tenant_id": customer.tenant})
        await self.tell_qonto("settings", {"consent": "auto", "consent_organization": customer.organization})

    @asynccontextmanager
    async def browser(self, customer: Customer) -> AsyncIterator[httpx.AsyncClient]:
        """A browser that is signed in for a customer."""
        async with web_client() as browser:
            await browser.get(await self.well.services.auth.sign_in_ticket(customer.workspace))
            yield browser

    async def all_decided(self, customer: Customer) -> None:
        """Return when every bill of a customer has a decision."""

        async def decided() -> bool:
            counts = dict(await self.well.services.matcher.counts(customer.workspace))
            return not counts.pop("due", 0) and sum(counts.values()) == customer.bills

        await until(decided)

    async def tell_xero(self, path: str, words: dict[str, Any]) -> None:
        """Tell the stand-in Xero something."""
        await self._tell(self.xero.url, path, words)

    async def tell_qonto(self, path: str, words: dict[str, Any]) -> None:
        """Tell the stand-in Qonto something."""
        await self._tell(self.qonto.url, path, words)

    async def uploads(self) -> list[dict[str, Any]]:
        """Every supplier invoice that was uploaded to the stand-in Qonto."""
        answer = (await self.http.get(f"{self.qonto.url}/_standin/invoices")).raise_for_status().json()
        return [invoice for invoice in answer["invoices"] if invoice["uploaded"]]

    async def _tell(self, url: str, path: str, words: dict[str, Any]) -> None:
        (await self.http.post(f"{url}/_standin/{path}", json=words)).raise_for_status()


async def _click_through(browser: httpx.AsyncClient, address: str) -> None:
    """Follow redirects, and allow what a consent page asks."""
    response = await browser.get(address)
    while True:
        form = re.search(r'name="form" value="([^"]+)"', response.text)
        if response.is_redirect:
            response = await browser.get(urljoin(str(response.url), response.headers["Location"]))
        elif form is not None:
            response = await browser.post(
                str(response.url.copy_with(query=None)), data={"form": form[1], "answer": "allow"}
            )
        else:
            assert response.status_code == httpx.codes.OK, response.text
            return


def bill_of(customer: Customer, number: int, **changed: object) -> dict[str, Any]:
    """A bill in Xero's shape, of a supplier whose name holds the customer's word."""
    return {
        "InvoiceID": customer.bill_ids()[number],
        "Type": "ACCPAY",
        "Status": "AUTHORISED",
        "InvoiceNumber": f"{customer.word}-{number}",
        "Contact": _contact(customer),
        "DateString": "2026-10-01T00:00:00",
        "Date": "/Date(1790812800000+0000)/",
        "Total": f"{100 + 79 * number}.50",
        "TotalTax": "0.00",
        "CurrencyCode": "EUR",
        "HasAttachments": False,
        **changed,
    }


def books_of(customer: Customer) -> dict[str, list[dict[str, Any]]]:
    """The supplier and every bill of a customer, without documents."""
    return {
        "contacts": [_contact(customer)],
        "invoices": [bill_of(customer, number) for number in range(customer.bills)],
    }


def _contact(customer: Customer) -> dict[str, Any]:
    return {"ContactID": f"{customer.tenant[:8]}-1111-4000-8000-000000000001", "Name": f"{customer.word} Papier"}


def settings_at(xero_url: str, qonto_url: str, dsn: str) -> Settings:
    """Settings of a Well that is quick to look again, against stand-ins."""
    return Settings(
        xero_client_id=_CLIENT,
        xero_client_secret=_SECRET,
        qonto_client_id=_CLIENT,
        qonto_client_secret=_SECRET,
        xero=xero_at(xero_url),
        qonto=qonto_at(qonto_url),
        xero_limits=Limits(per_minute=10_000, at_once=5, per_day=100_000),
        database_url=dsn,
        poll_seconds=0.5,
        overlap_seconds=5.0,
        idle_seconds=0.1,
        document_lease_seconds=2.0,
        retry=RetryRule(request_seconds=2, lease_seconds=3, running_seconds=3, first_pause_seconds=0.2),
        reading=ReadingRule(lease_seconds=2, first_pause_seconds=0.2),
    )


@asynccontextmanager
async def running_stage(dsn: str, *, call_seconds: float = 30.0) -> AsyncIterator[Stage]:
    """Well and both providers, on a database of the test's own, with nobody in it yet."""
    folder = Path(tempfile.mkdtemp(prefix="well-stage-"))
    installation = Installation(folder / "live")
    installation.make()
    async with running_xero() as xero, running_qonto() as qonto, web_client() as http:
        settings = replace(settings_at(xero.url, qonto.url, dsn), http_timeout_seconds=call_seconds)
        await http.post(f"{xero.url}/_standin/limits", json={"minute": 10_000, "day": 100_000, "concurrent": 8})
        await http.post(f"{qonto.url}/_standin/settings", json={"analysis_delay_seconds": 0})
        async with running_well(installation, settings, SystemClock()) as well:
            yield Stage(well, xero, qonto, http)
    shutil.rmtree(folder, ignore_errors=True)
