"""Lists and single records of the stand-in.

Source: Xero-OpenAPI 16.1.0, paths /Invoices and /Contacts, and developer.xero.com/documentation/api/accounting/
invoices, contacts and requests-and-responses (paging, If-Modified-Since, summaryOnly).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from libs.xero.standin import running_standin
from libs.xero.standin.store import Store
from libs.xero.wire import Record
from tests.contract.xero.world import TENANT, World, bill
from tests.support.web import web_client


def numbers(records: tuple[Record, ...] | list[dict[str, Any]]) -> list[str]:
    return [str(record["InvoiceNumber"]) for record in records]


def at(second: int) -> str:
    return f"2026-03-01T10:00:{second:02d}.500Z"


async def listed(world: World, path: str, **headers: str) -> Any:  # noqa: ANN401 - an answer of any shape
    """The JSON of a list, which must be answered."""
    answer = await world.raw(path, await world.token(), **headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def hold(world: World, *invoices: dict[str, Any]) -> None:
    await world.tell("records", tenant_id=TENANT, invoices=invoices)


async def test_money_is_written_as_the_json_number_it_was_given_as(world: World) -> None:
    await hold(world, bill(Total="119.90", AmountDue="0.00"))
    answer = await world.raw("/Invoices?page=1", await world.token())
    assert '"Total":119.90,' in answer.text
    assert '"AmountDue":0.00,' in answer.text
    assert '"UnitAmount":49.99' in answer.text


async def test_dates_are_written_in_both_of_xeros_forms(world: World) -> None:
    await hold(world, bill(Date="/Date(1774915200000+1300)/", UpdatedDateUTC="2026-04-01T08:30:00.250Z"))
    (record,) = (await listed(world, "/Invoices?page=1"))["Invoices"]
    assert (record["Date"], record["DateString"]) == ("/Date(1774915200000+0000)/", "2026-03-31T00:00:00")
    assert (record["DueDate"], record["DueDateString"]) == ("/Date(1777507200000+0000)/", "2026-04-30T00:00:00")
    assert record["UpdatedDateUTC"] == "/Date(1775032200250+0000)/"
    assert record["UpdatedDateUTCString"] == "2026-04-01T08:30:00Z"


async def test_a_list_is_ordered_by_its_last_change_either_way(world: World) -> None:
    given = [bill(n, UpdatedDateUTC=at(9 - n)) for n in range(3)]
    await hold(world, *given)
    ascending = (await listed(world, "/Invoices?page=1"))["Invoices"]
    descending = (await listed(world, "/Invoices?page=1&order=UpdatedDateUTC%20DESC"))["Invoices"]
    assert numbers(ascending) == ["FAC-00002", "FAC-00001", "FAC-00000"]
    assert numbers(descending) == numbers(ascending)[::-1]


@pytest.mark.parametrize(("asked", "given"), [("", 100), ("&pageSize=5000", 1000), ("&pageSize=0", 1)])
async def test_a_page_has_a_hundred_records_or_what_is_asked_up_to_a_thousand(
    world: World, asked: str, given: int
) -> None:
    await hold(world, *(bill(n) for n in range(1_001)))
    answer = await listed(world, f"/Invoices?page=1{asked}")
    pages = -(-1_001 // given)
    assert answer["pagination"] == {"page": 1, "pageSize": given, "pageCount": pages, "itemCount": 1_001}
    assert len(answer["Invoices"]) == given


async def test_a_list_without_a_page_has_every_record_and_no_lines(world: World) -> None:
    await hold(world, *(bill(n) for n in range(101)))
    answer = await listed(world, "/Invoices")
    assert "pagination" not in answer
    assert len(answer["Invoices"]) == 101
    assert not any("LineItems" in record for record in answer["Invoices"])


async def test_a_list_without_a_page_stops_at_a_hundred_thousand_records(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "xero.sqlite"))
    store.write(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
        "INSERT INTO record (kind, tenant_id, record_id, updated_ms, body) "
        "SELECT 'Invoices', ?, printf('%06d', i), i, CAST('{}' AS BLOB) FROM n",
        (TENANT,),
    )
    store.close()
    async with running_standin(store=tmp_path / "xero.sqlite") as standin, web_client() as http:
        world = World(standin, http)
        await world.tell("organisations", tenant_id=TENANT, name="Demo Company (FR)")
        answer = await world.raw("/Invoices", await world.token())
        assert (answer.status_code, answer.json()["Type"], answer.json()["ErrorNumber"]) == (
            400,
            "HighVolumeException",
            51,
        )
        assert len((await listed(world, "/Invoices?page=101&pageSize=1000"))["Invoices"]) == 1


async def test_a_summary_is_paged_and_lacks_lines_payments_and_attachments(world: World) -> None:
    await hold(world, bill())
    answer = await listed(world, "/Invoices?summaryOnly=true")
    assert answer["pagination"]["pageSize"] == 100
    assert not {"LineItems", "Payments", "HasAttachments"} & set(answer["Invoices"][0])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('where=Type=="ACCPAY"', ["FAC-00001", "FAC-00002"]),
        ('where=Type=="ACCPAY" AND Status=="VOIDED"', ["FAC-00002"]),
        ("Statuses=DRAFT,VOIDED", ["FAC-00002", "FAC-00003"]),
        ("InvoiceNumbers=FAC-00001", ["FAC-00001"]),
        ("ContactIDs=other", ["FAC-00003"]),
        (f"IDs={bill(2)['InvoiceID']},{bill(3)['InvoiceID']}", ["FAC-00002", "FAC-00003"]),
        ("includeArchived=true", ["FAC-00001", "FAC-00002", "FAC-00003", "FAC-00004"]),
        ("", ["FAC-00001", "FAC-00002", "FAC-00003"]),
    ],
)
async def test_a_list_is_filtered(world: World, query: str, found: list[str]) -> None:
    await hold(
        world,
        bill(1),
        bill(2, Status="VOIDED"),
        bill(3, Type="ACCREC", Status="DRAFT", Contact={"ContactID": "other"}),
        bill(4, Type="ACCREC", Status="ARCHIVED"),
    )
    assert numbers((await listed(world, f"/Invoices?page=1&{query}"))["Invoices"]) == found


@pytest.mark.parametrize("query", ["where=Total>100", 'where=Date=="x"', "order=Date", "page=one", "searchTerm=x"])
async def test_a_query_that_is_not_understood_is_refused(world: World, query: str) -> None:
    answer = await world.raw(f"/Invoices?{query}", await world.token())
    assert (answer.status_code, answer.json()["Type"]) == (400, "QueryParseException")


@pytest.mark.parametrize(
    "since",
    ["2026-03-01T10:00:05", "2026-03-01T10:00:05.999Z", "2026-03-01T12:00:05+02:00", "Sun, 01 Mar 2026 10:00:05 GMT"],
)
async def test_modified_since_counts_in_seconds_of_utc(world: World, since: str) -> None:
    await hold(world, *(bill(n, UpdatedDateUTC=at(n)) for n in range(4, 7)))
    answer = await listed(world, "/Invoices?page=1", **{"If-Modified-Since": since})
    assert numbers(answer["Invoices"]) == ["FAC-00005", "FAC-00006"]


async def test_the_client_asks_for_changes_since_a_second(world: World) -> None:
    await hold(world, *(bill(n, UpdatedDateUTC=at(n)) for n in range(4, 7)))
    since = datetime(2026, 3, 1, 10, 0, 5, 900_000, UTC)
    page = await world.client.invoices(
        await world.token(), TENANT, page=1, modified_since=since, where='Type=="ACCPAY"', order="UpdatedDateUTC DESC"
    )
    assert numbers(page.records) == ["FAC-00006", "FAC-00005"]


async def test_what_is_put_again_keeps_what_is_not_named_and_is_newly_changed(world: World) -> None:
    await hold(world, bill(1, UpdatedDateUTC=at(1)), bill(2))
    await hold(world, {"InvoiceID": bill(1)["InvoiceID"], "Status": "DELETED"})
    second, first = (await listed(world, "/Invoices?page=1"))["Invoices"]
    assert (first["Status"], first["Total"], second["Status"]) == ("DELETED", 119.99, "AUTHORISED")


async def test_what_is_put_as_null_is_taken_away(world: World) -> None:
    await hold(world, bill(1), bill(2, DueDate=None, Total=None))
    await hold(world, {"InvoiceID": bill(1)["InvoiceID"], "DueDate": None, "Total": None})
    records = (await listed(world, "/Invoices?page=1"))["Invoices"]
    assert not any({"DueDate", "DueDateString", "Total"} & set(record) for record in records)


async def test_two_bills_may_have_one_number_and_a_total_may_be_zero(world: World) -> None:
    await hold(world, bill(1, InvoiceNumber="7", Total="0.00"), bill(2, InvoiceNumber="7"))
    page = await world.client.invoices(await world.token(), TENANT, page=1, ids=[str(bill(1)["InvoiceID"])])
    assert [(record["InvoiceNumber"], record["Total"]) for record in page.records] == [("7", "0.00")]
    assert len((await listed(world, "/Invoices?InvoiceNumbers=7"))["Invoices"]) == 2


async def test_archived_and_merged_contacts_are_shown_when_asked_for(world: World) -> None:
    token = await world.token()
    merged = {"ContactID": "c-2", "Name": "Old", "ContactStatus": "ARCHIVED", "MergedToContactID": "c-1"}
    await world.tell("records", tenant_id=TENANT, contacts=[{"ContactID": "c-1", "Name": "New"}, merged])
    everyone = (await world.client.contacts(token, TENANT, page=1)).records
    assert [record.get("MergedToContactID") for record in everyone] == [None, "c-1"]
    active = (await world.client.contacts(token, TENANT, page=1, include_archived=False)).records
    assert [record["ContactID"] for record in active] == ["c-1"]
    assert (await world.client.contact(token, TENANT, "c-2")).record["MergedToContactID"] == "c-1"
    unpaged = (await listed(world, "/Contacts?includeArchived=true"))["Contacts"]
    assert not any("MergedToContactID" in record for record in unpaged)


async def test_a_summary_of_contacts_does_not_say_who_is_a_supplier(world: World) -> None:
    await world.tell("records", tenant_id=TENANT, contacts=[{"ContactID": "c-1", "Name": "New", "IsSupplier": True}])
    (summary,) = (await listed(world, "/Contacts?summaryOnly=true"))["Contacts"]
    assert not {"IsSupplier", "IsCustomer", "Addresses", "ContactGroups", "ContactPersons", "Balances"} & set(summary)


async def test_without_accept_json_the_answer_is_xml(world: World) -> None:
    answer = await world.raw("/Invoices", await world.token(), Accept="*/*")
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (406, "application/xml")


async def test_nothing_can_be_written(world: World) -> None:
    headers = {"Authorization": f"Bearer {await world.token()}", "xero-tenant-id": TENANT, "Accept": "application/json"}
    for method in ("POST", "PUT", "DELETE"):
        answer = await world.http.request(method, f"{world.standin.endpoints.api_url}/Invoices", headers=headers)
        assert answer.status_code == 405
    assert (await world.ask("calls"))["POST /api.xro/2.0/Invoices 405"] == 1


async def test_the_organisation_says_who_it_is(world: World) -> None:
    found = (await world.client.organisation(await world.token(), TENANT)).record
    assert (found["Name"], found["BaseCurrency"], found["OrganisationID"]) == ("Demo Company (FR)", "EUR", TENANT)


async def test_an_answer_stands_in_xeros_envelope(world: World) -> None:
    answer = await listed(world, "/Contacts")
    assert {"Id", "Status", "ProviderName", "DateTimeUTC", "Contacts"} == set(answer)
    assert json.dumps(answer["DateTimeUTC"]).startswith('"/Date(')
