"""Two customers in one process: each with an organisation of its own at both providers."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from uuid import UUID, uuid4

import httpx

from libs.qonto.standin import Standin as QontoStandin
from libs.qonto.standin import running_standin as running_qonto
from libs.runtime.clock import SystemClock
from libs.xero.standin import Standin as XeroStandin
from libs.xero.standin import running_standin as running_xero
from tests.support.until import until
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
    """Well, both providers, and the two customers."""

    well: AllInOne
    xero: XeroStandin
    qonto: QontoStandin
    first: Customer
    second: Customer
    http: httpx.AsyncClient

    async def open_for(self, customer: Customer) -> None:
        """A customer opens accounts, books its bills and connects both providers."""
        await self._tell(self.xero.url, "organisations", {"tenant_id": customer.tenant, "name": customer.word})
        await self._tell(self.qonto.url, "organizations", {"id": customer.organization, "name": customer.word})
        await self._tell(self.xero.url, "records", _books(customer))
        await self._tell(self.xero.url, "settings", {"consent": "auto", "tenant_id": customer.tenant})
        await self._tell(self.qonto.url, "settings", {"consent": "auto", "consent_organization": customer.organization})
        async with self.browser(customer) as browser:

            async def visit(address: str) -> None:
                await _click_through(browser, address)

            await visit(f"{self.well.url}/connect/qonto")
            await self.well.services.ingest.connect_xero(customer.workspace, visit)

    @asynccontextmanager
    async def browser(self, customer: Customer) -> AsyncIterator[httpx.AsyncClient]:
        """A browser that is signed in for a customer."""
        async with httpx.AsyncClient(timeout=30) as browser:
            await browser.get(await self.well.services.auth.sign_in_ticket(customer.workspace))
            yield browser

    async def all_decided(self, customer: Customer) -> None:
        """Return when every bill of a customer has a decision."""

        async def decided() -> bool:
            counts = dict(await self.well.services.matcher.counts(customer.workspace))
            return not counts.pop("due", 0) and sum(counts.values()) == customer.bills

        await until(decided)

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


def _books(customer: Customer) -> dict[str, Any]:
    contact = {"ContactID": f"{customer.tenant[:8]}-1111-4000-8000-000000000001", "Name": f"{customer.word} Papier"}
    bills = [
        {
            "InvoiceID": bill_id,
            "Type": "ACCPAY",
            "Status": "AUTHORISED",
            "InvoiceNumber": f"{customer.word}-{number}",
            "Contact": contact,
            "DateString": "2026-10-01T00:00:00",
            "Date": "/Date(1790812800000+0000)/",
            "Total": f"{100 + number}.50",
            "TotalTax": "0.00",
            "CurrencyCode": "EUR",
            "HasAttachments": False,
        }
        for number, bill_id in enumerate(customer.bill_ids())
    ]
    return {"tenant_id": customer.tenant, "contacts": [contact], "invoices": bills}


@asynccontextmanager
async def two_customers(dsn: str) -> AsyncIterator[Stage]:
    """Both customers, connected, on a database of the test's own."""
    folder = Path(tempfile.mkdtemp(prefix="well-two-"))
    installation = Installation(folder / "live")
    installation.make()
    first = Customer(uuid4(), "aaaaaaaa-0000-4000-8000-0000000000aa", str(uuid4()), "Aubergine", 3)
    second = Customer(uuid4(), "bbbbbbbb-0000-4000-8000-0000000000bb", str(uuid4()), "Betterave", 2)
    async with running_xero() as xero, running_qonto() as qonto, httpx.AsyncClient(timeout=30) as http:
        settings = Settings(
            xero_client_id=_CLIENT,
            xero_client_secret=_SECRET,
            qonto_client_id=_CLIENT,
            qonto_client_secret=_SECRET,
            xero=xero.endpoints,
            qonto=qonto.endpoints,
            database_url=dsn,
            idle_seconds=0.1,
        )
        async with running_well(installation, settings, SystemClock()) as well:
            stage = Stage(well, xero, qonto, first, second, http)
            for customer in (first, second):
                await stage.open_for(customer)
            for customer in (first, second):
                await stage.all_decided(customer)
            yield stage
    shutil.rmtree(folder, ignore_errors=True)
