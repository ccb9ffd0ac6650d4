"""The stand-in does as it is told, and says what it saw."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.contract.xero.world import TENANT, World, bill


async def test_the_index_names_every_path_with_a_sentence(world: World) -> None:
    index = await world.ask("")
    assert "POST /_standin/records" in index
    assert all(sentence.endswith(".") for sentence in index.values())


async def test_holdings_count_what_each_organisation_holds(world: World) -> None:
    contacts = [{"ContactID": "c-1", "Name": "Orange"}]
    await world.tell("records", tenant_id=TENANT, contacts=contacts, invoices=[bill(1), bill(2, Status="VOIDED")])
    assert (await world.ask("holdings"))["tenants"] == {
        TENANT: {
            "name": "Demo Company (FR)",
            "invoices": 2,
            "contacts": 1,
            "attachments": 0,
            "invoices_by": {"ACCPAY AUTHORISED": 1, "ACCPAY VOIDED": 1},
        }
    }


async def test_the_records_held_can_be_paged_through(world: World) -> None:
    await world.tell("records", tenant_id=TENANT, invoices=[bill(n) for n in range(3)])
    page = await world.ask(f"invoices?tenant={TENANT}&page=2&page_size=2")
    assert (page["page"], page["page_size"], page["total"]) == (2, 2, 3)
    assert [record["InvoiceNumber"] for record in page["records"]] == ["FAC-00002"]
    assert (await world.ask(f"contacts?tenant={TENANT}"))["records"] == []


async def test_five_thousand_bills_are_held_by_one_call(world: World) -> None:
    told = await world.tell("records", tenant_id=TENANT, invoices=[bill(n) for n in range(5_000)])
    assert told == {"contacts": 0, "invoices": 5_000, "attachments": 0}


async def test_calls_are_counted_by_template_and_status(world: World) -> None:
    token = await world.token()
    await world.raw("/Invoices/none", token)
    await world.raw("/Invoices/other", token)
    await world.raw("/Nothing", token)
    assert await world.ask("calls") == {
        "GET /identity/connect/authorize 302": 1,
        "POST /connect/token 200": 1,
        "GET /api.xro/2.0/Invoices/{InvoiceID} 404": 2,
        "GET unknown 404": 1,
    }


async def test_a_fault_waits_for_its_turn_and_is_used_up(world: World) -> None:
    token = await world.token()
    path = "/api.xro/2.0/Invoices/{InvoiceID}"
    await world.tell("records", tenant_id=TENANT, invoices=[bill()])
    await world.tell("faults", method="GET", path=path, kind="500", times=2, after=1)
    one = f"/Invoices/{bill()['InvoiceID']}"
    assert (await world.raw("/Invoices", token)).status_code == 200
    assert [(await world.raw(one, token)).status_code for _ in range(4)] == [200, 500, 500, 200]


async def test_faults_can_be_seen_and_cancelled(world: World) -> None:
    told = {"method": "GET", "path": "*", "kind": "503", "times": 3, "after": 0, "retry_after": 9}
    await world.tell("faults", **told)
    url = f"{world.standin.url}/_standin/faults"
    assert (await world.http.get(url)).json() == {"faults": [told]}
    assert (await world.http.delete(url)).json() == {"faults": []}
    assert (await world.http.get(url)).json() == {"faults": []}


async def test_reset_forgets_everything(world: World) -> None:
    token = await world.token()
    await world.tell("limits", minute=1)
    await world.tell("faults", kind="500")
    await world.tell("reset")
    assert (await world.ask("holdings"))["tenants"] == {}
    assert await world.ask("calls") == {}
    assert (await world.raw("/Invoices", token)).status_code == 401
    await world.tell("organisations", tenant_id=TENANT, name="Again")
    answer = await world.raw("/Organisation", await world.token())
    assert (answer.status_code, answer.headers["X-MinLimit-Remaining"]) == (200, "59")


async def test_tokens_can_be_had_without_a_consent_page(world: World) -> None:
    few = await world.tell("tokens", tenant_id=TENANT, scope="accounting.invoices.read")
    assert "refresh_token" not in few
    assert (await world.raw("/Contacts", few["access_token"])).status_code == 401
    every = await world.tell("tokens", tenant_id=TENANT)
    assert (await world.client.contacts(every["access_token"], TENANT, page=1)).records == ()


async def test_what_was_told_can_be_asked(world: World) -> None:
    await world.tell("settings", consent="auto")
    await world.tell("limits", minute=7)
    moved = await world.tell("clock", advance_seconds=86_400)
    assert (await world.ask("settings")) == {"consent": "auto", "tenant_id": None, "besides": [], "user": None}
    assert (await world.ask("limits")) == {"minute": 7, "day": 5_000, "concurrent": 5, "app_minute": 10_000}
    assert (await world.ask("clock"))["now"] >= moved["now"]


async def test_a_call_whose_answer_was_lost_is_counted_as_unanswered(world: World) -> None:
    token = await world.token()
    await world.tell("faults", path="/api.xro/2.0/Invoices", kind="lost")
    with pytest.raises(httpx.TransportError):
        await world.raw("/Invoices", token)
    assert (await world.ask("calls"))["GET /api.xro/2.0/Invoices unanswered"] == 1


async def test_consent_given_at_once_goes_through_the_organisations_in_turn(world: World) -> None:
    await world.tell("organisations", tenant_id="another", name="Another")
    connected = [(await world.client.connections(await world.token())).records[0]["tenantName"] for _ in range(2)]
    assert sorted(map(str, connected)) == ["Another", "Demo Company (FR)"]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("records", {"tenant_id": "nobody"}),
        ("records", {"tenant_id": TENANT, "invoices": [{"Type": "ACCPAY"}]}),
        ("records", {"tenant_id": TENANT, "invoices": [bill(Total="a lot")]}),
        ("records", {"tenant_id": TENANT, "invoices": [bill(Date="31/03/2026")]}),
        ("records", {"tenant_id": TENANT, "invoices": "all"}),
        ("records", {"tenant_id": TENANT, "invoices": [bill(Reference="\ud800")]}),
        ("organisations", {"tenant_id": TENANT, "name": "Demo", "organisation": "FR"}),
        ("faults", {"kind": "earthquake"}),
        ("clock", {"advance_seconds": -1}),
        ("limits", {"hour": 1}),
        ("settings", {"consent": "maybe"}),
        ("organisations", {"tenant_id": TENANT}),
    ],
)
async def test_what_is_not_understood_is_refused_with_a_sentence(world: World, path: str, told: dict[str, Any]) -> None:
    answer = await world.http.post(f"{world.standin.url}/_standin/{path}", content=json.dumps(told))
    assert answer.status_code == 400
    assert answer.json()["error"]
