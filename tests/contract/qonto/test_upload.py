"""What the client makes of an upload: one outcome for each file, or an error that says what is not known."""

from __future__ import annotations

import orjson
import pytest

from libs.contracts.errors import ConsentLost, OutcomeUnknown, Rejected, Transient, WellError
from libs.qonto.client import QontoClient
from libs.qonto.upload import Accepted, Refused, Upload, outcomes_in
from tests.contract.qonto.desk import Desk, key, upload
from tests.support.web import web_client

BULK = "/v2/supplier_invoices/bulk"
POINTER = "/supplier_invoices/idempotency_key"


async def test_twenty_files_of_one_request_get_their_own_outcomes_in_order(desk: Desk) -> None:
    sent = [upload(f"bill-{n}") for n in range(20)]
    outcomes = await desk.client.upload(desk.token, sent)
    held = {invoice["id"]: invoice for invoice in (await desk.see("invoices"))["invoices"]}
    for one, outcome in zip(sent, outcomes, strict=True):
        assert isinstance(outcome, Accepted)
        assert outcome.idempotency_key == one.idempotency_key
        assert held[outcome.invoice_id]["idempotency_key"] == str(one.idempotency_key)
        assert held[outcome.invoice_id]["file_name"] == one.file_name
        assert held[outcome.invoice_id]["document"]["source"] == "integration"
        assert held[outcome.invoice_id]["document"]["meta"] == {"integration_type": "xero", "connector": "well"}


async def test_a_refused_file_among_others_is_refused_alone(desk: Desk) -> None:
    outcomes = await desk.client.upload(desk.token, [upload("a"), upload("b", b"text"), upload("c")])
    assert [type(outcome) for outcome in outcomes] == [Accepted, Refused, Accepted]
    assert outcomes[1] == Refused(key("b"), "invalid", "File is too large or wrong content type")


@pytest.mark.parametrize("wanted", [True, False, None])
async def test_the_matcher_is_skipped_only_when_asked_to(desk: Desk, wanted: bool | None) -> None:  # noqa: FBT001  from a table
    await desk.client.upload(desk.token, [upload("a")], skip_attachment_matcher=wanted)
    assert (await desk.see("invoices"))["invoices"][0]["matcher_skipped"] is bool(wanted)


async def test_a_file_name_of_any_script_arrives_as_it_is(desk: Desk) -> None:
    names = ['Facture "été" n°5.pdf', "发票.pdf", "a;b 100%.pdf"]
    await desk.client.upload(desk.token, [Upload(key(name), name, b"%PDF-", "application/pdf") for name in names])
    assert [invoice["file_name"] for invoice in (await desk.see("invoices"))["invoices"]] == names


@pytest.mark.parametrize(
    ("sizes", "code"),
    [([0] * 21, "limit_reached"), ([10_000_001], "file_too_large"), ([7_500_000, 7_500_000], "request_too_large")],
)
async def test_nothing_is_sent_that_qonto_would_refuse_for_its_size(desk: Desk, sizes: list[int], code: str) -> None:
    sent = [upload(f"bill-{at}", bytes(size)) for at, size in enumerate(sizes)]
    with pytest.raises(Rejected) as refused:
        await desk.client.upload(desk.token, sent)
    assert refused.value.code == code
    assert await desk.see("calls") == {}


async def test_no_files_need_no_call(desk: Desk) -> None:
    assert await desk.client.upload(desk.token, []) == []
    assert await desk.see("calls") == {}


@pytest.mark.parametrize(
    ("kind", "error", "held"),
    [
        ("429", Transient, 0),
        ("500", OutcomeUnknown, 0),
        ("html", OutcomeUnknown, 0),
        ("object_errors", Rejected, 0),
        ("revoked", ConsentLost, 0),
        ("timeout_before", OutcomeUnknown, 0),
        ("timeout_after_commit", OutcomeUnknown, 1),
    ],
)
async def test_each_fault_leaves_the_error_that_says_what_to_do(
    desk: Desk, kind: str, error: type[WellError], held: int
) -> None:
    await desk.order("faults", method="POST", path=BULK, kind=kind)
    async with web_client(timeout=0.3) as impatient:
        with pytest.raises(error):
            await QontoClient(impatient, desk.standin.url).upload(desk.token, [upload("a")])
    assert (await desk.holdings())["invoices"] == held


async def test_the_same_key_after_a_lost_answer_finds_the_first_invoice(desk: Desk) -> None:
    await desk.order("faults", path=BULK, kind="timeout_after_commit")
    async with web_client(timeout=0.3) as impatient:
        with pytest.raises(OutcomeUnknown):
            await QontoClient(impatient, desk.standin.url).upload(desk.token, [upload("a")])
    (outcome,) = await desk.client.upload(desk.token, [upload("a")])
    assert isinstance(outcome, Accepted)
    assert (await desk.holdings())["uploads_by_file_name"] == {"a.pdf": 1}


async def test_words_nobody_has_heard_of_do_not_disturb_an_upload(desk: Desk) -> None:
    """docs.qonto.com, "Versioning": attributes and values are added within v2."""
    await desk.order("faults", path=BULK, kind="unknown_fields")
    (outcome,) = await desk.client.upload(desk.token, [upload("a")])
    assert isinstance(outcome, Accepted)
    assert outcome.status == "under_investigation"


async def test_a_server_that_cannot_be_reached_got_nothing(desk: Desk) -> None:
    closed = desk.standin.url.rsplit(":", 1)[0] + ":1"
    with pytest.raises(Transient, match="nothing was sent"):
        await QontoClient(desk.http, closed).upload(desk.token, [upload("a")])


async def test_a_missing_scope_is_forbidden(desk: Desk) -> None:
    reader = desk.standin.token(scopes=("supplier_invoice.read",))
    with pytest.raises(Rejected) as refused:
        await desk.client.upload(reader, [upload("a")])
    assert refused.value.code == "forbidden"


async def test_waits_that_qonto_asks_for_are_passed_on(desk: Desk) -> None:
    await desk.order("faults", path=BULK, kind="429", retry_after=7)
    with pytest.raises(Transient) as busy:
        await desk.client.upload(desk.token, [upload("a")])
    assert busy.value.retry_after_seconds == 7


def _answer(invoices: list[str], errors: list[dict[str, object]]) -> bytes:
    shown = [{"id": f"id-{name}", "file_name": f"{name}.pdf", "status": "to_review"} for name in invoices]
    return orjson.dumps({"supplier_invoices": shown, "errors": errors})


def _error(name: str, tail: str = "", code: str = "invalid") -> dict[str, object]:
    return {"code": code, "detail": "no", "source": {"pointer": f"{POINTER}/{key(name)}{tail}"}}


@pytest.mark.parametrize("tail", ["", "/file"])
def test_a_pointer_names_its_upload_with_or_without_its_tail(tail: str) -> None:
    """Both forms stand in the test suites of two independent clients, kledg and newbi."""
    outcomes = outcomes_in(_answer(["b"], [_error("a", tail)]), [upload("a"), upload("b")])
    assert outcomes == [Refused(key("a"), "invalid", "no"), Accepted(key("b"), "id-b", None, "to_review")]


@pytest.mark.parametrize(
    ("invoices", "errors"),
    [
        (["a"], []),
        ([], []),
        (["a", "b", "c"], []),
        (["b", "a"], []),
        (["a"], [_error("elsewhere")]),
        ([], [{"code": "limit_reached", "detail": "too many"}]),
        (["a"], [_error("b", code="internal_server_error")]),
    ],
    ids=["one missing", "both missing", "one too many", "swapped", "stranger", "no pointer", "trouble inside"],
)
def test_an_answer_that_does_not_account_for_every_file_is_not_guessed_at(
    invoices: list[str], errors: list[dict[str, object]]
) -> None:
    with pytest.raises(OutcomeUnknown):
        outcomes_in(_answer(invoices, errors), [upload("a"), upload("b")])


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[]", b'{"supplier_invoices":[{"file_name":"a.pdf"}]}'])
def test_an_answer_that_is_not_what_qonto_promises_leaves_the_outcome_unknown(body: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        outcomes_in(body, [upload("a")])


def test_an_error_without_a_pointer_can_only_mean_a_lone_upload() -> None:
    assert outcomes_in(_answer([], [{"code": "required", "detail": "no"}]), [upload("a")]) == [
        Refused(key("a"), "required", "no")
    ]


def test_errors_as_an_object_are_read_like_a_list_of_one() -> None:
    body = orjson.dumps({"supplier_invoices": [], "errors": {"message": "no"}})
    assert outcomes_in(body, [upload("a")]) == [Refused(key("a"), "unnamed", "no")]
