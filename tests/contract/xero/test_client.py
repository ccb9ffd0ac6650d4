"""The client against the stand-in, over real HTTP."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from libs.contracts.errors import ConsentLost, Rejected, Transient
from libs.xero.dates import document_date, instant
from tests.contract.xero.world import TENANT, World, bill


async def test_a_page_carries_records_pagination_and_budget(world: World) -> None:
    token = await world.token()
    await world.tell("records", tenant_id=TENANT, invoices=[bill(n) for n in range(3)])
    page = await world.client.invoices(token, TENANT, page=2, page_size=2)
    assert [record["InvoiceNumber"] for record in page.records] == ["FAC-00002"]
    assert (page.pagination.page, page.pagination.page_count, page.pagination.item_count) == (2, 2, 3)
    assert (page.budget.minute_remaining, page.budget.day_remaining) == (59, 4_999)
    assert page.budget.app_minute_remaining == 9_999


async def test_money_arrives_as_the_text_it_was_written_in(world: World) -> None:
    token = await world.token()
    amounts = {"Total": "100000000000000.10", "AmountDue": "0.00", "CurrencyRate": "1.0842000000"}
    await world.tell("records", tenant_id=TENANT, invoices=[bill(**amounts)])
    page = await world.client.invoices(token, TENANT, page=1)
    assert {key: page.records[0][key] for key in amounts} == amounts


async def test_dates_of_a_bill_are_read_as_they_are_printed(world: World) -> None:
    token = await world.token()
    await world.tell("records", tenant_id=TENANT, invoices=[bill()])
    found = (await world.client.invoice(token, TENANT, str(bill()["InvoiceID"]))).record
    assert document_date(str(found["Date"])).isoformat() == "2026-03-31"
    assert abs((instant(str(found["UpdatedDateUTC"])) - datetime.now(UTC)).total_seconds()) < 60


async def test_an_attachment_is_read_up_to_a_bound(world: World) -> None:
    token = await world.token()
    invoice_id = str(bill()["InvoiceID"])
    given = {
        "invoice_id": invoice_id,
        "attachment_id": "9808ad7f-c8d4-41cf-995e-bc29cb76fd2c",
        "file_name": "facture é.pdf",
        "content_base64": base64.b64encode(b"%PDF-1.7 and more").decode(),
    }
    await world.tell("records", tenant_id=TENANT, invoices=[bill()], attachments=[given])
    (listed,) = (await world.client.attachments(token, TENANT, "Invoices", invoice_id)).records
    assert (listed["FileName"], listed["ContentLength"]) == ("facture é.pdf", "17")
    attachment_id = str(listed["AttachmentID"])
    content = await world.client.attachment_content(token, TENANT, "Invoices", invoice_id, attachment_id, max_bytes=17)
    assert (content.body, content.mime_type) == (b"%PDF-1.7 and more", "application/pdf")
    with pytest.raises(Rejected) as refused:
        await world.client.attachment_content(token, TENANT, "Invoices", invoice_id, attachment_id, max_bytes=16)
    assert refused.value.code == "document_too_large"


async def test_connections_name_the_organisation(world: World) -> None:
    (connection,) = (await world.client.connections(await world.token())).records
    assert (connection["tenantId"], connection["tenantName"]) == (TENANT, "Demo Company (FR)")


async def test_a_token_that_is_not_honoured_means_consent_is_lost(world: World) -> None:
    with pytest.raises(ConsentLost):
        await world.client.invoices("no token", TENANT, page=1)


async def test_429_says_how_long_to_wait_and_which_limit(world: World) -> None:
    token = await world.token()
    await world.tell("faults", method="GET", path="/api.xro/2.0/Contacts", kind="429", retry_after=7)
    with pytest.raises(Transient, match="the minute limit") as waits:
        await world.client.contacts(token, TENANT, page=1)
    assert waits.value.retry_after_seconds == 7
    assert (await world.client.contacts(token, TENANT, page=1)).records == ()
