"""What somebody had rejected at Qonto before Well was connected is shown to a person, and never posted unseen."""

from __future__ import annotations

from uuid import uuid4

import pytest

from libs.contracts.identity import record_of
from tests.contract.journeys.stage import Customer, bill_of, books_of, running_stage
from tests.support.postgres import PostgresFixture

CUSTOMER = Customer(uuid4(), "dddddddd-0000-4000-8000-0000000000dd", str(uuid4()), "Daikon", 1)
BILL = record_of("xero", "bill", CUSTOMER.bill_ids()[0])


@pytest.mark.parametrize("status", ["rejected", "discarded"])
async def test_a_bill_that_was_rejected_at_qonto_before_it_was_connected_waits_for_a_person(
    postgres: PostgresFixture, status: str
) -> None:
    rejected = {
        "id": str(uuid4()),
        "status": status,
        "supplier_name": "Daikon Papier",
        "invoice_number": "Daikon-0",
        "issue_date": "2026-10-01",
        "total_amount": {"value": "100.50", "currency": "EUR"},
        "analyzed_at": "2026-10-02T09:00:00Z",
    }
    async with running_stage(postgres.dsn) as stage:
        await stage.tell_qonto("organizations", {"id": CUSTOMER.organization, "name": CUSTOMER.word})
        await stage.tell_qonto(
            "records", {"organization": CUSTOMER.organization, "supplier_invoices": [rejected], "transactions": []}
        )
        await stage.open_for(CUSTOMER, **books_of(CUSTOMER) | {"invoices": [bill_of(CUSTOMER, 0, HasAttachments=True)]})
        await stage.all_decided(CUSTOMER)
        decision = await stage.well.services.matcher.decision(CUSTOMER.workspace, BILL)
    assert decision is not None
    assert (decision.verdict, decision.reason) == ("review", "rejected_at_qonto")
