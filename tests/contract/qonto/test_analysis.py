"""The stand-in's OCR: fields are empty at first and filled some seconds later.

Source: docs.qonto.com, "Create supplier invoices" (`analyzed_at` and extracted fields may be null), "List supplier
invoices" (`has_duplicates`, `attachment_category`).
"""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.qonto.standin.analysis import fields_in, text_of
from libs.qonto.upload import Accepted
from libs.qonto.wire import Amount, SupplierInvoice
from tests.contract.qonto.desk import Desk, bill, upload
from tests.support.shared import shared


async def _uploaded(desk: Desk, name: str, content: bytes) -> str:
    (outcome,) = await desk.client.upload(desk.token, [upload(name, content)])
    assert isinstance(outcome, Accepted)
    return outcome.invoice_id


async def _read(desk: Desk, invoice_id: str) -> SupplierInvoice:
    return await desk.client.get_supplier_invoice(desk.token, invoice_id)


async def test_a_bill_is_read_when_its_time_has_come_and_not_before(desk: Desk) -> None:
    await desk.order("settings", analysis_delay_seconds=60)
    invoice_id = await _uploaded(desk, "a", bill())
    fresh = await _read(desk, invoice_id)
    assert (fresh.analyzed_at, fresh.invoice_number, fresh.total_amount) == (None, None, None)
    desk.standin.world.advance(60)
    read = await _read(desk, invoice_id)
    assert (read.invoice_number, read.supplier_name) == ("F-2026-014", "Ateliers Brémond SAS")
    assert (read.issue_date, read.due_date) == (date(2026, 1, 31), date(2026, 3, 2))
    assert read.total_amount == Amount(value="1392.00", currency="EUR")
    assert read.total_tax_amount == Amount(value="232.00", currency="EUR")
    assert (read.vat_number, read.attachment_category, read.status) == ("FR83404833048", "INVOICE", "to_review")
    assert read.analyzed_at is not None
    assert fresh.updated_at is not None
    assert read.updated_at is not None
    assert read.updated_at > fresh.updated_at


async def test_an_analysis_shows_in_the_list_of_what_changed(desk: Desk) -> None:
    await _uploaded(desk, "a", bill())
    before = desk.standin.world.now()
    assert (await desk.client.list_supplier_invoices(desk.token, updated_from=before)).invoices == ()
    desk.standin.world.advance(2)
    (changed,) = (await desk.client.list_supplier_invoices(desk.token, updated_from=before)).invoices
    assert changed.invoice_number == "F-2026-014"


async def test_a_second_invoice_of_the_same_number_supplier_and_total_is_a_duplicate(desk: Desk) -> None:
    ids = [await _uploaded(desk, "a", bill()), await _uploaded(desk, "b", bill())]
    ids.append(await _uploaded(desk, "c", bill(total=150_000)))
    desk.standin.world.advance(2)
    assert [(await _read(desk, invoice_id)).has_duplicates for invoice_id in ids] == [False, True, False]


@pytest.mark.parametrize("content", [b"%PDF-1.4\nbroken", b"\x89PNG\r\n\x1a\n..."], ids=["broken pdf", "picture"])
async def test_what_cannot_be_read_is_no_invoice_to_qonto(desk: Desk, content: bytes) -> None:
    invoice_id = await _uploaded(desk, "a", content)
    desk.standin.world.advance(2)
    read = await _read(desk, invoice_id)
    assert read.analyzed_at is not None
    assert (read.total_amount, read.attachment_category) == (None, "OTHER_NON_FINANCIAL_DOCUMENT")


def test_labels_are_found_whatever_the_spacing() -> None:
    text = "  Invoice  number :  A 1 \r\nQty\nNet:EUR 1,284.00\nTOTAL: EUR 5\nDue date: soon\nSupplier:\nTax: EUR -1.20"
    assert fields_in(text) == {
        "invoice_number": "A 1",
        "total_amount_excluding_taxes": {"value": "1284.00", "currency": "EUR"},
        "total_amount": {"value": "5", "currency": "EUR"},
        "total_tax_amount": {"value": "-1.20", "currency": "EUR"},
    }


@given(cuts=st.lists(st.tuples(st.integers(0, 2_000), st.binary(max_size=4)), min_size=1, max_size=6))
@settings(max_examples=60)
def test_a_damaged_pdf_is_read_or_left_without_an_error(cuts: list[tuple[int, bytes]]) -> None:
    content = bytearray(bill())
    for at, damage in cuts:
        content[at + 5 : at + 5 + len(damage)] = damage
    fields_in(text_of(bytes(content)))


def test_real_invoices_are_read_or_left_without_an_error() -> None:
    for path in sorted(shared("data/invoices").glob("*.pdf"))[:8]:
        fields_in(text_of(path.read_bytes()))
