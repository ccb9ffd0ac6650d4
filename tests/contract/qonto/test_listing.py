"""Lists and single records: the stand-in's filters, order and pages, as the client reads them.

Source, unless a test names another: docs.qonto.com, "List supplier invoices", "Pagination", and Qonto's Postman
collection.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest

from libs.contracts.errors import ConsentLost, Malformed, Rejected, Transient, WellError
from libs.contracts.money import Money
from libs.qonto.client import QontoClient
from libs.qonto.wire import Amount
from tests.contract.qonto.desk import Desk, upload
from tests.contract.xero.world import serving
from tests.support.dripping import dripping
from tests.support.web import web_client

LIST = "/v2/supplier_invoices"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def record(n: int, **said: Any) -> dict[str, Any]:  # noqa: ANN401  as JSON has it
    """An invoice changed n hours after the year began."""
    return {"id": f"invoice-{n}", "updated_at": (BEGIN + timedelta(hours=n)).isoformat(), **said}


async def test_pages_follow_each_other_to_the_end(desk: Desk) -> None:
    await desk.put_invoices(*(record(n) for n in range(25)))
    seen: list[str] = []
    page: int | None = 1
    while page is not None:
        listed = await desk.client.list_supplier_invoices(desk.token, page=page, per_page=10)
        seen += [invoice.id for invoice in listed.invoices]
        assert listed.total_count == 25
        page = listed.next_page
    assert seen == [f"invoice-{n}" for n in range(25)]


async def test_meta_tells_where_a_page_stands_and_current_page_is_ignored(desk: Desk) -> None:
    """`current_page` in a query changes nothing: qonto/qonto-mcp-server issues 14 and 17."""
    await desk.put_invoices(*(record(n) for n in range(3)))
    answer = (await desk.call("GET", f"{LIST}?current_page=2&per_page=2")).json()
    told = {"current_page": 1, "next_page": 2, "prev_page": None, "total_pages": 2, "total_count": 3, "per_page": 2}
    assert answer["meta"] == told
    assert len(answer["supplier_invoices"]) == 2


async def test_a_window_of_changes_holds_both_its_ends(desk: Desk) -> None:
    await desk.put_invoices(*(record(n) for n in range(5)))
    listed = await desk.client.list_supplier_invoices(
        desk.token, updated_from=BEGIN + timedelta(hours=1), updated_to=BEGIN + timedelta(hours=3)
    )
    assert [invoice.id for invoice in listed.invoices] == ["invoice-1", "invoice-2", "invoice-3"]


async def test_an_upload_is_found_by_its_attachment_and_by_when_it_was_made(desk: Desk) -> None:
    await desk.put_invoices(record(1, created_at=BEGIN.isoformat()))
    await desk.client.upload(desk.token, [upload("a"), upload("b")])
    attachments = [invoice["attachment_id"] for invoice in (await desk.see("invoices"))["invoices"][1:]]
    listed = await desk.client.list_supplier_invoices(desk.token, attachment_ids=attachments)
    assert {invoice.file_name for invoice in listed.invoices} == {"a.pdf", "b.pdf"}
    since = desk.standin.world.now() - timedelta(minutes=1)
    assert (await desk.client.list_supplier_invoices(desk.token, created_from=since)).total_count == 2


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("filter[status][]=paid&filter[status][]=archived", [1, 2]),
        ("filter[status]=paid", [1]),
        ("filter[due_date]=missing_date", [1, 2]),
        ("filter[due_date]=past_and_today", [3]),
        ("filter[due_date]=future", [4]),
        ("filter[issue_date_from]=2026-02-01", [2]),
        ("filter[document_type][]=duplicates", [3]),
        ("filter[exclude_credit_notes]=true", [1, 2, 3]),
        ("filter[missing_data]=false", [4]),
        ("filter[matched_transactions]=true", [2]),
        ("query=brém&query_fields=supplier_name,invoice_number", [1]),
    ],
)
async def test_filters_keep_what_they_say(desk: Desk, query: str, found: list[int]) -> None:
    await desk.put_invoices(
        record(1, status="paid", issue_date="2026-01-31", supplier_name="Ateliers Brémond"),
        record(2, status="archived", issue_date="2026-02-01", matched_transactions=["t-1"]),
        record(3, due_date="2026-02-01", has_duplicates=True),
        record(4, due_date="2999-01-01", is_credit_note=True, total_amount={"value": "1", "currency": "EUR"}),
    )
    answer = await desk.call("GET", f"{LIST}?{query}&sort_by=updated_at:asc")
    assert [invoice["id"] for invoice in answer.json()["supplier_invoices"]] == [f"invoice-{n}" for n in found]


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=²",
        "per_page=101",
        "sort_by=mood:asc",
        "sort_by=updated_at",
        "filter[updated_at_from]=yesterday",
        "query=x",
    ],
)
async def test_what_makes_no_sense_is_refused(desk: Desk, query: str) -> None:
    answer = await desk.call("GET", f"{LIST}?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["source"]["parameter"]


async def test_a_filter_the_stand_in_does_not_serve_is_refused_rather_than_ignored(desk: Desk) -> None:
    assert (await desk.call("GET", f"{LIST}?filter[payable_amount]=lte:100.00:EUR")).status_code == 400


async def test_one_organization_does_not_see_the_other(desk: Desk) -> None:
    await desk.order("organizations", id="other", name="Autre SARL")
    await desk.put_invoices(record(1))
    other = desk.standin.token("other")
    assert (await desk.client.list_supplier_invoices(other)).invoices == ()
    with pytest.raises(Rejected) as refused:
        await desk.client.get_supplier_invoice(other, "invoice-1")
    assert refused.value.code == "not_found"


async def test_errors_of_a_missing_record_are_an_object(desk: Desk) -> None:
    """`{"errors": {"message": "Not found"}, "trace_id": ...}`: seen live by qontoctl; object in Qonto's Postman too."""
    answer = await desk.call("GET", f"{LIST}/nowhere")
    assert (answer.status_code, type(answer.json()["errors"])) == (404, dict)
    with pytest.raises(Rejected, match=r"Trace id [0-9a-f]+") as refused:
        await desk.client.get_supplier_invoice(desk.token, "nowhere")
    assert refused.value.code == "not_found"


async def test_amounts_and_dates_are_read_exactly_and_the_words_are_kept(desk: Desk) -> None:
    """Amounts are `{"value": "22.10", "currency": "EUR"}`, the value a text."""
    total = {"value": "1284.10", "currency": "EUR"}
    tax = {"value": "1.5", "currency": "XTS"}
    said = {"total_amount": total, "total_tax_amount": tax, "issue_date": "2026-01-31", "surprise": 1.10}
    await desk.put_invoices(record(1, **said))
    invoice = await desk.client.get_supplier_invoice(desk.token, "invoice-1")
    assert invoice.total_amount is not None
    assert invoice.total_amount.money() == Money(minor=128_410, currency="EUR")
    assert invoice.issue_date == date(2026, 1, 31)
    assert invoice.updated_at == BEGIN + timedelta(hours=1)
    assert invoice.total_tax_amount == Amount(value="1.5", currency="XTS")
    with pytest.raises(Malformed, match="not in ISO 4217"):
        invoice.total_tax_amount.money()
    (listed,) = (await desk.client.list_supplier_invoices(desk.token)).invoices
    assert listed == invoice
    raw = (await desk.call("GET", f"{LIST}/invoice-1")).text
    assert invoice.raw in raw
    assert orjson.loads(invoice.raw)["surprise"] == 1.1


async def test_words_nobody_has_heard_of_are_read_and_kept(desk: Desk) -> None:
    """docs.qonto.com, "Versioning": attributes and enum values are added within v2."""
    await desk.put_invoices(record(1))
    await desk.order("faults", method="GET", path=LIST, kind="unknown_fields")
    (invoice,) = (await desk.client.list_supplier_invoices(desk.token)).invoices
    assert invoice.status == "under_investigation"
    assert '"unheard_of"' in invoice.raw


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("429", Transient),
        ("500", Transient),
        ("html", Transient),
        ("object_errors", Rejected),
        ("revoked", ConsentLost),
        ("timeout_before", Transient),
        ("timeout_after_commit", Transient),
    ],
)
async def test_each_fault_of_a_read_leaves_the_error_that_says_what_to_do(
    desk: Desk, kind: str, error: type[WellError]
) -> None:
    await desk.order("faults", method="GET", path=LIST, kind=kind)
    desk.http.timeout = 0.3
    with pytest.raises(error):
        await desk.client.list_supplier_invoices(desk.token)
    if kind != "revoked":
        assert (await desk.client.list_supplier_invoices(desk.token)).invoices == ()


async def test_a_read_of_a_server_that_is_not_there_may_be_tried_again(desk: Desk) -> None:
    with pytest.raises(Transient):
        await QontoClient(desk.http, "http://127.0.0.1:1").organization(desk.token)


async def test_an_answer_that_does_not_end_is_given_up() -> None:
    async with serving(dripping(0.05)) as url, web_client() as http, asyncio.timeout(10):
        with pytest.raises(Transient, match="TimeoutError"):
            await QontoClient(http, url, read_seconds=0.2).list_supplier_invoices("token")


async def test_an_answer_beyond_all_measure_is_not_read_to_its_end(desk: Desk) -> None:
    await desk.put_invoices(*(record(n, description="x" * 170_000) for n in range(100)))
    with pytest.raises(Rejected) as refused:
        await desk.client.list_supplier_invoices(desk.token)
    assert refused.value.code == "answer_too_large"
    assert len((await desk.client.list_supplier_invoices(desk.token, per_page=50)).invoices) == 50


async def test_an_id_is_one_segment_of_a_path_whatever_it_holds(desk: Desk) -> None:
    with pytest.raises(Rejected):
        await desk.client.get_supplier_invoice(desk.token, "../organization")
    with pytest.raises(ValueError, match="an id is needed"):
        await desk.client.get_supplier_invoice(desk.token, "..")
