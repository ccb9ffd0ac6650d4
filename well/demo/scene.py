"""The made-up company: laid out in the stand-ins once, and connected as a person would."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

import httpx

from libs.contracts.errors import Malformed, Transient
from libs.runtime.tls import authorities
from well.demo.standins import Standins
from well.home import Installation, home

if TYPE_CHECKING:
    from well.all_in_one import AllInOne
    from well.demo.company import Company, Truth

TENANT: Final = "d1a5c0de-0000-4000-8000-00000000cafe"
"""The Xero organisation of the demo."""

SEED: Final = 20261102
"""The seed of all chance in the demo: two runs on two machines see the same company."""

RECORDS_A_CALL: Final = 2000
"""Records put into a stand-in with one call: a few megabytes, and about a second."""

LIMITS: Final = {"minute": 1_000_000, "day": 10_000_000, "concurrent": 16, "app_minute": 1_000_000}
"""Calls the demo's Xero allows. The real 60 a minute would make two thousand documents last over an hour."""

QONTO_CALLS: Final = {"calls_per_10_seconds": 100_000, "calls_per_10_minutes": 1_000_000}
"""Calls the demo's Qonto allows, for the same reason."""


@dataclass(frozen=True)
class Script:
    """What the demo plays.

    Attributes:
        bills: A CSV of bills to load, or None for the made-up company.
        limit: Rows to take from it at most.
        today: The day on which it plays.
    """

    bills: Path | None
    limit: int | None
    today: date

    def installation(self) -> Installation:
        """Its own installation: the same play goes on where it was, another starts from nothing.

        Raises:
            Malformed: `no_file` when the bills come through a pipe, which can be read only once.
        """
        named = hashlib.sha256()
        if self.bills is not None:
            if not self.bills.is_file():
                raise Malformed("The bills are no file but a pipe or a device; write them to a file.", code="no_file")
            with self.bills.open("rb") as file:
                named = hashlib.file_digest(file, "sha256")
        named.update(f"/{self.limit}/{SEED}".encode())
        return Installation(home() / f"demo-{named.hexdigest()[:8]}")

    def company(self) -> Company:
        """The company.

        Raises:
            Malformed: The CSV is none; the sentence names line and column.
        """
        from well.demo.company import company_from_csv, make_company, read_bills_csv

        if self.bills is None:
            return make_company(SEED, self.today)
        return company_from_csv(read_bills_csv(self.bills, self.limit), SEED, self.today)


def truth_of(installation: Installation) -> Truth:
    """What is so in the company that was laid out."""
    from well.demo.company import Truth

    return Truth.load(installation.standins / "truth.json")


async def lay_out(company: Company | None, installation: Installation, standins: Standins) -> None:
    """Put the company into the stand-ins; None when it is there. Every part may be put twice and is there once."""
    await standins.tell_xero("limits", LIMITS)
    await standins.tell_xero("settings", {"consent": "auto", "tenant_id": TENANT})
    await standins.tell_qonto("settings", {"consent": "auto", "analysis_delay_seconds": 0.5, **QONTO_CALLS})
    if company is None:
        return
    await standins.tell_xero("organisations", {"tenant_id": TENANT, "name": "Atelier Beaulieu SARL"})
    for kind, records in (
        ("contacts", company.xero_contacts),
        ("invoices", company.xero_invoices),
        ("attachments", company.xero_attachments),
    ):
        for start in range(0, len(records), RECORDS_A_CALL):
            await standins.tell_xero("records", {"tenant_id": TENANT, kind: records[start : start + RECORDS_A_CALL]})
    for start in range(0, len(company.qonto_invoices), RECORDS_A_CALL):
        some = company.qonto_invoices[start : start + RECORDS_A_CALL]
        await standins.tell_qonto("records", {"supplier_invoices": some})
    company.truth.save(installation.standins / "truth.json")
    installation.remember(laid_out=True)


async def connect(well: AllInOne, workspace: UUID) -> None:
    """Click **Connect Xero** and **Connect Qonto**, where they are not connected yet.

    Raises:
        Transient: A page answered something else than it should.
    """
    async with httpx.AsyncClient(verify=authorities(), follow_redirects=True, timeout=30) as browser:

        async def visit(url: str) -> None:
            answer = await browser.get(url)
            if answer.is_error:
                raise Transient(f"The demo's browser got {answer.status_code} at {answer.url.path}.")

        auth, ingest = well.services.auth, well.services.ingest
        if await auth.connection_state(workspace, "qonto") != "active":
            await visit(f"{well.url}/connect/qonto")
        xero = await auth.connection_state(workspace, "xero")
        reads = await ingest.has_xero_grant(workspace) and bool(await auth.programs.of(workspace))
        if xero != "active" or not reads:
            await ingest.connect_xero(workspace, visit)
