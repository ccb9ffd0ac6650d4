"""The stand-in's bulk upload does what Qonto documents.

Source, unless a test names another: docs.qonto.com/guides/use-cases/bulk-upload-supplier-invoices and the reference
page "Create supplier invoices".
"""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.contract.qonto.desk import PDF, Desk, file_part, key, key_part, upload

POINTER = "/supplier_invoices/idempotency_key"


@pytest.mark.parametrize(
    ("parts", "taken", "refused"),
    [
        pytest.param(
            ["file a", "key 1", "file b", "key 2"], [("1", "a"), ("2", "b")], [], id="file first, interleaved"
        ),
        pytest.param(["key 1", "file a", "key 2", "file b"], [("1", "a"), ("2", "b")], [], id="key first, interleaved"),
        pytest.param(["key 1", "key 2", "file a", "file b"], [("2", "a")], ["invalid", "required"], id="keys first"),
    ],
)
async def test_parts_are_paired_by_order_of_arrival(
    desk: Desk, parts: list[str], taken: list[tuple[str, str]], refused: list[str]
) -> None:
    """As Rack 2.2.22 groups `a[][b]`; that Qonto's server groups alike is inferred."""
    sent = [key_part(word[4:]) if word.startswith("key") else file_part(word[5:]) for word in parts]
    answer = await desk.post_parts(sent)
    assert answer.status_code == 200
    assert [error["code"] for error in answer.json()["errors"]] == refused
    held = (await desk.see("invoices"))["invoices"]
    assert [(invoice["idempotency_key"], invoice["file_name"]) for invoice in held] == taken


async def test_parts_with_an_index_are_no_array_and_break_the_whole_request(desk: Desk) -> None:
    """Rack makes a hash of `a[0][b]`. "A 400 will be returned only if the whole request fails"."""
    answer = await desk.post_parts([("supplier_invoices[0][file]", ("a.pdf", PDF, "application/pdf"))])
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalid")
    assert answer.json()["trace_id"]


async def test_a_new_invoice_waits_for_review_with_nothing_read_from_it(desk: Desk) -> None:
    answer = await desk.post_parts([key_part("k"), file_part("a.pdf"), ("source", (None, b"integration"))])
    (invoice,) = answer.json()["supplier_invoices"]
    assert (invoice["status"], invoice["analyzed_at"], invoice["total_amount"]) == ("to_review", None, None)
    assert (invoice["file_name"], invoice["source"], answer.json()["errors"]) == ("a.pdf", "integration", [])


async def test_a_refused_file_is_told_beside_an_accepted_one_and_the_status_is_200(desk: Desk) -> None:
    answer = await desk.post_parts([key_part("good"), file_part("a.pdf"), key_part("bad"), file_part("b.pdf", b"text")])
    assert answer.status_code == 200
    assert len(answer.json()["supplier_invoices"]) == 1
    told = {"code": "invalid", "detail": "File is too large or wrong content type"}
    assert answer.json()["errors"] == [{**told, "source": {"pointer": f"{POINTER}/bad/file"}}]


@pytest.mark.parametrize(
    ("content", "accepted"),
    [
        (b"%PDF-1.7 ...", True),
        (b"\x89PNG\r\n\x1a\n...", True),
        (b"\xff\xd8\xff\xe0...", True),
        (b"PK\x03\x04...", False),
        (b"", False),
        (b"%PDF-" + bytes(10_000_000), False),
    ],
    ids=["pdf", "png", "jpeg", "zip", "empty", "above 10 MB"],
)
async def test_pdf_png_and_jpeg_up_to_10_mb_are_taken(desk: Desk, content: bytes, accepted: bool) -> None:  # noqa: FBT001  from a table
    answer = await desk.post_parts([key_part("k"), file_part("a.pdf", content)])
    assert bool(answer.json()["supplier_invoices"]) is accepted
    assert bool(answer.json()["errors"]) is not accepted


async def test_a_missing_key_is_required_and_the_limit_is_twenty(desk: Desk) -> None:
    answer = await desk.post_parts([file_part("a.pdf")])
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (200, "required")
    answer = await desk.post_parts([part for n in range(21) for part in (key_part(f"{n}"), file_part(f"{n}.pdf"))])
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (200, "limit_reached")
    assert (await desk.holdings())["invoices"] == 0


async def test_a_request_above_15_mb_fails_as_a_whole(desk: Desk) -> None:
    """Older edition of the reference: "Total size of the request cannot exceed 15MB"."""
    large = b"%PDF-" + bytes(7_600_000)
    answer = await desk.post_parts([key_part("1"), file_part("a", large), key_part("2"), file_part("b", large)])
    assert answer.status_code == 400


async def test_an_attachment_uploaded_before_can_stand_for_the_file_but_not_beside_it(desk: Desk) -> None:
    """Reference: exactly one of `file` and `attachment_id`."""
    earlier = await desk.call(
        "POST", "/v2/attachments", files={"file": ("scan.pdf", PDF)}, headers={"X-Qonto-Idempotency-Key": "once"}
    )
    attachment: tuple[str, Any] = (
        "supplier_invoices[][attachment_id]",
        (None, earlier.json()["attachment"]["id"].encode()),
    )
    answer = await desk.post_parts([key_part("1"), attachment, key_part("2"), attachment, file_part("b.pdf")])
    assert [invoice["file_name"] for invoice in answer.json()["supplier_invoices"]] == ["scan.pdf"]
    assert [error["source"]["pointer"] for error in answer.json()["errors"]] == [f"{POINTER}/2"]


async def test_the_same_key_within_30_minutes_gets_the_first_answer_even_with_another_file(desk: Desk) -> None:
    """docs.qonto.com/api-reference/business-api/introduction/idempotency: "even if the request body differs"."""
    first = await desk.post_parts([key_part("k"), file_part("a.pdf")])
    desk.standin.world.advance(29 * 60)
    again = await desk.post_parts([key_part("k"), file_part("other.pdf", PDF + b" of another kind")])
    assert again.json() == first.json()
    assert (await desk.holdings())["invoices"] == 1


async def test_the_same_key_after_30_minutes_makes_a_second_invoice(desk: Desk) -> None:
    """The same page: "keys expire after 30 minutes ... creates a new resource"."""
    first = await desk.post_parts([key_part("k"), file_part("a.pdf")])
    desk.standin.world.advance(30 * 60)
    again = await desk.post_parts([key_part("k"), file_part("a.pdf")])
    assert again.json()["supplier_invoices"][0]["id"] != first.json()["supplier_invoices"][0]["id"]
    held = await desk.holdings()
    assert held["uploads_by_sha256"] == {hashlib.sha256(PDF).hexdigest(): 2}
    assert await desk.see("uploads_by_file_name") == held["uploads_by_file_name"] == {"a.pdf": 2}


async def test_a_refusal_is_not_remembered_for_its_key(desk: Desk) -> None:
    """The same page: the server caches "the successful response"."""
    assert (await desk.post_parts([key_part("k"), file_part("a.pdf", b"text")])).json()["errors"]
    assert not (await desk.post_parts([key_part("k"), file_part("a.pdf")])).json()["errors"]


async def test_the_same_file_under_two_keys_makes_two_invoices(desk: Desk) -> None:
    """Seen in the sandbox by qontoctl's end-to-end tests."""
    answer = await desk.post_parts([key_part("1"), file_part("a.pdf"), key_part("2"), file_part("a.pdf")])
    assert len({invoice["id"] for invoice in answer.json()["supplier_invoices"]}) == 2


async def test_keys_of_two_organizations_do_not_meet(desk: Desk) -> None:
    await desk.order("organizations", id="other", name="Autre SARL")
    other = desk.standin.token("other")
    (first,) = await desk.client.upload(desk.token, [upload("a")])
    (second,) = await desk.client.upload(other, [upload("a")])
    assert first != second
    assert first.idempotency_key == second.idempotency_key == key("a")
