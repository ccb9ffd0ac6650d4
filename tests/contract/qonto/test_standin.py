"""The rest of the stand-in: files, transitions, limits, the gate, and what can be seen and ordered from outside.

Source: the page of docs.qonto.com that each test names.
"""

from __future__ import annotations

import pytest

from libs.contracts.errors import OutcomeUnknown, Transient
from libs.qonto.client import QontoClient
from libs.qonto.standin import running_standin
from libs.qonto.upload import Accepted
from libs.runtime.clock import ShiftedClock
from tests.contract.qonto.desk import PDF, Desk, upload
from tests.support.web import web_client

GATE = "let-me-in"


async def test_a_file_can_be_fetched_for_30_minutes_without_a_token(desk: Desk) -> None:
    """Documented: "Retrieve an attachment": the URL is valid for 30 minutes."""
    (outcome,) = await desk.client.upload(desk.token, [upload("a")])
    assert isinstance(outcome, Accepted)
    assert outcome.attachment_id is not None
    file = await desk.client.attachment(desk.token, outcome.attachment_id)
    assert (file.file_name, file.file_size, file.file_content_type) == ("a.pdf", str(len(PDF)), "application/pdf")
    assert file.url is not None
    assert (await desk.http.get(file.url)).content == PDF
    assert (await desk.http.get(file.url.replace("expires=1", "expires=2"))).status_code == 403
    desk.standin.world.advance(30 * 60)
    assert (await desk.http.get(file.url)).status_code == 403


async def test_an_attachment_wants_its_idempotency_header_and_a_known_kind(desk: Desk) -> None:
    """Documented: "Upload an attachment": JPEG, PNG or PDF; X-Qonto-Idempotency-Key required."""
    file = {"file": ("a.pdf", PDF)}
    keyed = {"X-Qonto-Idempotency-Key": "once"}
    assert (await desk.call("POST", "/v2/attachments", files=file)).status_code == 400
    assert (await desk.call("POST", "/v2/attachments", files={"file": ("a", b"x")}, headers=keyed)).status_code == 422
    first = await desk.call("POST", "/v2/attachments", files=file, headers=keyed)
    again = await desk.call("POST", "/v2/attachments", files=file, headers=keyed)
    assert first.json() == again.json()
    assert list(first.json()["attachment"]) == ["id"]


async def test_an_invoice_moves_as_documented(desk: Desk) -> None:
    """Documented: "Mark as paid", "Unmark as paid", "Reject": the answers are not wrapped."""
    await desk.put_invoices({"id": "i", "status": "to_review"}, {"id": "e", "is_einvoice": True})
    paid = {"supplier_invoice": {"payment_date": "2026-01-01"}}
    answer = await desk.call("POST", "/v2/supplier_invoices/i/mark_as_paid", json=paid)
    assert (answer.json()["id"], answer.json()["status"], answer.json()["payment_date"]) == ("i", "paid", "2026-01-01")
    declined = {"supplier_invoice": {"declined_note": "twice"}}
    refused = await desk.call("POST", "/v2/supplier_invoices/i/reject", json=declined)
    assert refused.status_code == 400
    back = await desk.call("POST", "/v2/supplier_invoices/i/unmark_as_paid")
    assert back.json()["status"] == "awaiting_payment"
    answer = await desk.call("POST", "/v2/supplier_invoices/i/reject", json=declined)
    assert (answer.json()["status"], answer.json()["declined_note"]) == ("rejected", "twice")
    assert (await desk.call("POST", "/v2/supplier_invoices/i/reject", json=declined)).status_code == 400
    assert (await desk.call("POST", "/v2/supplier_invoices/e/reject", json=declined)).status_code == 422


async def test_an_organization_hides_accounts_elsewhere_and_its_slug_is_gone(desk: Desk) -> None:
    """Documented: "Retrieve the authenticated organization"; guides/migrations/deprecated-organization-endpoints."""
    ours = (await desk.call("GET", "/v2/organization")).json()["organization"]
    assert [account["status"] for account in ours["bank_accounts"]] == ["active", "closed"]
    every = (await desk.call("GET", "/v2/organization?include_external_accounts=true")).json()["organization"]
    assert len(every["bank_accounts"]) == 3
    assert (await desk.call("GET", f"/v2/organizations/{ours['slug']}")).status_code == 410
    assert (await desk.client.organization(desk.token)).slug == ours["slug"]


async def test_transactions_are_listed_with_simple_filters(desk: Desk) -> None:
    """Documented: "List transactions": `side`, `status[]`, `updated_at_from`, `sort_by`."""
    given = [
        {"id": "1", "side": "debit", "status": "completed", "emitted_at": "2026-01-01T00:00:00Z", "amount_cents": 100},
        {"id": "2", "side": "credit", "status": "completed", "emitted_at": "2026-01-02T00:00:00Z"},
        {"id": "3", "side": "debit", "status": "pending", "emitted_at": "2026-01-03T00:00:00Z"},
    ]
    await desk.order("records", transactions=given)
    query = "side=debit&status[]=completed&status[]=pending&updated_at_from=2026-01-02T00:00:00Z"
    answer = await desk.call("GET", f"/v2/transactions?{query}&sort_by=emitted_at:asc")
    assert [transaction["id"] for transaction in answer.json()["transactions"]] == ["3"]


async def test_a_transaction_is_shown_to_its_own_organization_only(desk: Desk) -> None:
    """Qonto's Postman collection, "Retrieve a transaction": 200, and 404 with `errors` as an object."""
    await desk.order("records", transactions=[{"id": "t-1", "side": "debit", "emitted_at": "2026-01-01T00:00:00Z"}])
    assert (await desk.call("GET", "/v2/transactions/t-1")).json()["transaction"]["side"] == "debit"
    await desk.order("organizations", id="org-2", name="Autre")
    other = (await desk.order("tokens", organization="org-2"))["access_token"]
    answer = await desk.call("GET", "/v2/transactions/t-1", other)
    assert (answer.status_code, answer.json()["errors"]["code"]) == (404, "not_found")


async def test_labels_are_listed_and_belong_to_each_other(desk: Desk) -> None:
    """Qonto's Postman collection, "List labels" and "Retrieve a label": `{id, name, parent_id}` and `meta`."""
    answer = (await desk.call("GET", "/v2/labels?per_page=2")).json()
    assert (len(answer["labels"]), answer["meta"]["total_count"], answer["meta"]["next_page"]) == (2, 3, 2)
    above, below = answer["labels"]
    assert (above["parent_id"], below["parent_id"]) == (None, above["id"])
    assert (await desk.call("GET", f"/v2/labels/{below['id']}")).json() == {"label": below}
    assert (await desk.call("GET", "/v2/labels/none")).status_code == 404
    narrow = (await desk.order("tokens", scope="supplier_invoice.read"))["access_token"]
    assert (await desk.call("GET", "/v2/labels", narrow)).status_code == 403


async def test_an_address_that_calls_too_often_is_told_to_wait(desk: Desk) -> None:
    """Documented: "Rate limits": 1,000 calls in 10 seconds an address. `Retry-After` is not, so it can be left out."""
    await desk.order("settings", calls_per_10_seconds=3)
    for _ in range(3):
        await desk.client.organization(desk.token)
    with pytest.raises(Transient) as busy:
        await desk.client.upload(desk.token, [upload("a")])
    assert busy.value.retry_after_seconds is not None
    assert 0 < busy.value.retry_after_seconds <= 10
    assert (await desk.order("settings", retry_after=False))["calls_per_10_seconds"] == 3
    with pytest.raises(Transient) as busy:
        await desk.client.organization(desk.token)
    assert busy.value.retry_after_seconds is None
    desk.standin.world.advance(10)
    await desk.client.organization(desk.token)


async def test_an_address_with_too_many_401_is_throttled_for_an_hour(desk: Desk) -> None:
    """Documented: "Rate limits": more than 200 answers of 401 in an hour."""
    await desk.order("settings", unauthorized_per_hour=2)
    statuses = [(await desk.call("GET", "/v2/organization", "nobody's")).status_code for _ in range(4)]
    assert statuses == [401, 401, 401, 429]
    desk.standin.world.advance(3600)
    assert (await desk.call("GET", "/v2/organization", desk.standin.token())).status_code == 200


async def test_the_sandbox_answers_html_to_who_lacks_its_token(desk: Desk) -> None:
    """Sandbox access: HTML or a redirect to OneLogin, on every call, that for tokens too."""
    await desk.order("settings", staging_token=GATE)
    with pytest.raises(Transient):
        await desk.client.organization(desk.token)
    with pytest.raises(OutcomeUnknown):
        await desk.client.upload(desk.token, [upload("a")])
    assert (await desk.refresh("any")).status_code == 302
    known = QontoClient(desk.http, desk.standin.url, staging_token=GATE)
    assert (await known.organization(desk.token)).name == "Maison Tilleul SAS"


async def test_a_fault_lets_calls_through_first_and_ends_after_its_times(desk: Desk) -> None:
    await desk.order("faults", path="/v2/organization", kind="500", after=1, times=2)
    statuses = [(await desk.call("GET", "/v2/organization")).status_code for _ in range(4)]
    assert statuses == [200, 500, 500, 200]
    await desk.order("faults", path="/v2/supplier_invoices/{id}", kind="500")
    assert (await desk.call("GET", "/v2/supplier_invoices")).status_code == 200
    assert len((await desk.see("faults"))["faults"]) == 1
    await desk.http.delete(f"{desk.standin.url}/_standin/faults")
    assert (await desk.see("faults"))["faults"] == []


async def test_calls_are_counted_by_method_template_and_status(desk: Desk) -> None:
    await desk.call("GET", "/v2/supplier_invoices/nowhere")
    await desk.call("GET", "/v2/organization")
    await desk.call("GET", "/v2/nothing")
    assert await desk.see("calls") == {
        "GET (no such path) 404": 1,
        "GET /v2/organization 200": 1,
        "GET /v2/supplier_invoices/{id} 404": 1,
    }


async def test_5000_records_go_in_with_one_call(desk: Desk) -> None:
    told = await desk.order("records", supplier_invoices=[{"invoice_number": f"N-{n}"} for n in range(5_000)])
    assert told["supplier_invoices"] == (await desk.holdings())["invoices"] == 5_000
    assert (await desk.holdings())["uploads"] == 0


async def test_every_path_of_control_is_listed_and_answers(desk: Desk) -> None:
    for name in await desk.see(""):
        method, path = name.split()
        answer = await desk.http.request(method, f"{desk.standin.url}{path}", content=b"{" if method == "POST" else b"")
        assert answer.status_code in {200, 400}, name
        assert answer.status_code == 200 or method == "POST"


async def test_a_reset_forgets_everything_but_the_time(desk: Desk) -> None:
    await desk.client.upload(desk.token, [upload("a")])
    await desk.order("clock", advance_seconds=1000)
    await desk.order("reset")
    assert (await desk.holdings())["invoices"] == 0
    assert (await desk.see("clock"))["advanced_seconds"] == 1000
    assert (await desk.call("GET", "/v2/organization")).status_code == 401


async def test_a_clock_can_be_shared_with_who_moves_it() -> None:
    clock = ShiftedClock()
    async with running_standin(clock=clock) as standin, web_client() as http:
        token = standin.token()
        clock.advance(3600)
        desk = Desk(standin, http, token)
        assert (await desk.call("GET", "/v2/organization")).status_code == 401
