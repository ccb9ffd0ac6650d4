"""Attachments of the stand-in.

Source: developer.xero.com/documentation/api/accounting/attachments and Xero-OpenAPI 16.1.0, schema Attachment: at most
ten on a document; by AttachmentID or FileName; some characters are rejected in names.
"""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from libs.contracts.errors import Rejected
from tests.contract.xero.world import TENANT, World, bill

INVOICE = str(bill()["InvoiceID"])
PAPER = {
    "supplier_name": "Orange SA, Paris",
    "number": "FAC-00001",
    "issue_date": "2026-03-31",
    "currency": "EUR",
    "net": {"minor": 9_999, "currency": "EUR"},
    "tax": {"minor": 2_000, "currency": "EUR"},
    "total": {"minor": 11_999, "currency": "EUR"},
}


def attached(number: int = 1, **changed: object) -> dict[str, Any]:
    return {
        "invoice_id": INVOICE,
        "attachment_id": f"9808ad7f-c8d4-41cf-995e-{number:012d}",
        "file_name": f"facture é {number}.txt",
        "mime_type": "text/plain",
        "content_base64": base64.b64encode(b"bytes").decode(),
        **changed,
    }


def on_paper(**changed: object) -> dict[str, Any]:
    given = attached(1, file_name="bill.pdf", mime_type="application/pdf", paper=PAPER, **changed)
    del given["content_base64"]
    return given


async def hold(world: World, *attachments: dict[str, Any]) -> None:
    await world.tell("records", tenant_id=TENANT, invoices=[bill()], attachments=attachments)


async def test_a_single_invoice_lists_its_attachments_and_a_list_only_says_that_there_are_some(world: World) -> None:
    token = await world.token()
    await world.tell("records", tenant_id=TENANT, invoices=[bill(2)])
    await hold(world, attached())
    one = (await world.client.invoice(token, TENANT, INVOICE)).record
    many = (await world.client.attachments(token, TENANT, "Invoices", INVOICE)).records
    assert one["Attachments"] == list(many)
    url = f"{world.standin.endpoints.api_url}/Invoices/{INVOICE}/Attachments/facture%20%C3%A9%201.txt"
    assert many[0] == {
        "AttachmentID": attached()["attachment_id"],
        "FileName": "facture é 1.txt",
        "Url": url,
        "MimeType": "text/plain",
        "ContentLength": "5",
    }
    listed = (await world.client.invoices(token, TENANT, page=1)).records
    assert [(record["HasAttachments"], "Attachments" in record) for record in listed] == [(False, False), (True, False)]


async def test_an_attachment_is_found_by_id_and_by_name(world: World) -> None:
    token = await world.token()
    await hold(world, attached())
    for asked in (attached()["attachment_id"], attached()["file_name"]):
        content = await world.client.attachment_content(token, TENANT, "Invoices", INVOICE, asked, max_bytes=100)
        assert (content.body, content.mime_type) == (b"bytes", "text/plain")


async def test_a_paper_becomes_a_pdf_that_says_what_the_recipe_says(world: World) -> None:
    token = await world.token()
    await hold(world, on_paper())
    (listed,) = (await world.client.attachments(token, TENANT, "Invoices", INVOICE)).records
    content = await world.client.attachment_content(
        token, TENANT, "Invoices", INVOICE, str(listed["AttachmentID"]), max_bytes=100_000
    )
    assert (str(len(content.body)), content.mime_type) == (listed["ContentLength"], "application/pdf")
    assert "Total: EUR 119.99" in PdfReader(BytesIO(content.body)).pages[0].extract_text()


async def test_attachments_have_a_scope_of_their_own(world: World) -> None:
    token = await world.token(scope="accounting.invoices.read")
    await hold(world, attached())
    with pytest.raises(Rejected) as refused:
        await world.client.attachments(token, TENANT, "Invoices", INVOICE)
    assert refused.value.code == "insufficient_scope"


async def test_an_attachment_leaves_the_time_its_invoice_changed(world: World) -> None:
    token = await world.token()
    await world.tell("records", tenant_id=TENANT, invoices=[bill()])
    before = (await world.client.invoice(token, TENANT, INVOICE)).record["UpdatedDateUTC"]
    await world.tell("records", tenant_id=TENANT, attachments=[attached()])
    assert (await world.client.invoice(token, TENANT, INVOICE)).record["UpdatedDateUTC"] == before


@pytest.mark.parametrize(
    "given",
    [
        [attached(file_name="a/b.pdf")],
        [attached(invoice_id="nowhere")],
        [attached(content_base64="not base64!")],
        [attached(content_base64=None)],
        [attached(paper=PAPER)],
        [on_paper() | {"paper": {"supplier_name": "no more"}}],
        [attached(number) for number in range(11)],
    ],
)
async def test_what_xero_would_not_hold_is_refused_and_nothing_of_it_is_kept(
    world: World, given: list[dict[str, Any]]
) -> None:
    told = {"tenant_id": TENANT, "invoices": [bill()], "attachments": given}
    answer = await world.http.post(f"{world.standin.url}/_standin/records", json=told)
    assert answer.status_code == 400
    held = (await world.ask("holdings"))["tenants"][TENANT]
    assert (held["invoices"], held["attachments"]) == (0, 0)
