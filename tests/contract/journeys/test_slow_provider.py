"""A provider that keeps one customer waiting keeps nobody else waiting."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from uuid import uuid4

from tests.contract.ingest.awkward import pdf
from tests.contract.journeys.stage import Customer, bill_of, running_stage
from tests.support.postgres import PostgresFixture
from tests.support.until import until

SLOW = Customer(uuid4(), "aaaaaaaa-0000-4000-8000-0000000000aa", str(uuid4()), "Aubergine", 1)
OTHER = Customer(uuid4(), "bbbbbbbb-0000-4000-8000-0000000000bb", str(uuid4()), "Betterave", 1)

SILENT_SECONDS = 60.0
"""For which a provider that does not answer is waited for."""

SOON_SECONDS = 40.0


def _books(customer: Customer, document: bytes) -> dict[str, list[dict[str, Any]]]:
    """One bill with its document."""
    attached = {
        "invoice_id": customer.bill_ids()[0],
        "attachment_id": str(uuid4()),
        "file_name": "bill.pdf",
        "mime_type": "application/pdf",
        "content_base64": base64.b64encode(document).decode(),
    }
    bill = bill_of(customer, 0, HasAttachments=True)
    return {"contacts": [bill["Contact"]], "invoices": [bill], "attachments": [attached]}


async def test_a_document_that_does_not_come_holds_up_no_other_customer(postgres: PostgresFixture) -> None:
    document = pdf(2)
    async with running_stage(postgres.dsn, call_seconds=SILENT_SECONDS) as stage:
        await stage.open_for(OTHER)
        path = f"/api.xro/2.0/Invoices/{SLOW.bill_ids()[0]}/Attachments"
        await stage.tell_xero("faults", {"method": "GET", "path": path, "kind": "timeout"})
        await stage.open_for(SLOW, **_books(SLOW, pdf(1)))

        async def asked_in_vain() -> bool:
            return (await stage.http.get(f"{stage.xero.url}/_standin/faults")).json()["faults"] == []

        async def other_is_posted() -> bool:
            arrived = [upload["sha256"] for upload in await stage.uploads()]
            return arrived == [hashlib.sha256(document).hexdigest()]

        await until(asked_in_vain)
        await stage.book(OTHER, **_books(OTHER, document))
        await until(other_is_posted, deadline_seconds=SOON_SECONDS)
