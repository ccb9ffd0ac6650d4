"""Reading Qonto's words: nothing is rounded, nothing is lost, and a strange field stops nothing.

Source: docs.qonto.com, "Versioning": attributes, values and their order may change within v2.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.errors import ConsentLost, Malformed, OutcomeUnknown, Rejected, Transient, WellError
from libs.qonto.refusals import refusal_of_read, refusal_of_upload
from libs.qonto.wire import Amount, SupplierInvoice, attachment, check_page, next_page_in, supplier_invoice
from libs.qonto.words import NotJson, object_in, verbatim

JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(), JSON, max_size=4)


def read(**said: Any) -> SupplierInvoice:  # noqa: ANN401  as JSON has it
    ((record, raw),) = verbatim(json.dumps({"supplier_invoice": {"id": "i", **said}}).encode(), "supplier_invoice")
    return supplier_invoice(record, raw)


@given(objects=st.lists(OBJECTS, max_size=4), others=OBJECTS, indent=st.sampled_from([None, 1]))
def test_every_record_of_a_list_keeps_the_text_it_was_written_in(
    objects: list[dict[str, Any]], others: dict[str, Any], indent: int | None
) -> None:
    body = json.dumps({**others, "supplier_invoices": objects, "meta": {}}, indent=indent)
    found = verbatim(body.encode(), "supplier_invoices")
    assert [json.loads(raw) for _, raw in found] == objects
    assert all(raw in body for _, raw in found)


def test_a_number_is_kept_as_it_was_written() -> None:
    ((record, raw),) = verbatim(b'{"invoices": [{"id": "i", "amount": 0.10, "count": 3}]}', "invoices")
    assert (record["amount"], record["count"]) == ("0.10", "3")
    assert raw == '{"id": "i", "amount": 0.10, "count": 3}'


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"a": NaN}', b'{"a": 1', b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_told_apart(body: bytes) -> None:
    with pytest.raises(NotJson):
        object_in(body)


@given(said=st.dictionaries(st.sampled_from(sorted(SupplierInvoice.model_fields.keys() - {"id", "raw"})), JSON))
def test_a_field_of_any_kind_is_read_or_left_empty(said: dict[str, Any]) -> None:
    assert read(**said).id == "i"


def test_an_amount_written_as_a_number_loses_nothing() -> None:
    ((record, raw),) = verbatim(b'{"i": {"id": "i", "total_amount": {"value": 1284.10, "currency": "EUR"}}}', "i")
    assert supplier_invoice(record, raw).total_amount == Amount(value="1284.10", currency="EUR")


@pytest.mark.parametrize(
    ("said", "ids"),
    [
        (["t-1", "t-2"], ("t-1", "t-2")),
        ([{"transaction_id": "t-1", "subject_type": "Transfer"}, {"subject_id": "x"}], ("t-1",)),
        (None, ()),
    ],
    ids=["older", "newer", "none"],
)
def test_both_shapes_of_matched_transactions_are_read(said: object, ids: tuple[str, ...]) -> None:
    """Older pages show uuids, the page "Unmark a supplier invoice as paid" objects."""
    assert read(matched_transactions=said).matched_transactions == ids


def test_a_time_without_an_offset_or_a_date_that_is_none_reads_as_missing() -> None:
    invoice = read(created_at="2026-01-01T00:00:00", updated_at="2022-03-04T17:58:30+02:00", due_date="31/01/2026")
    assert (invoice.created_at, invoice.due_date) == (None, None)
    assert invoice.updated_at is not None


@pytest.mark.parametrize("record", [{}, {"id": None}, {"id": {}}])
def test_a_record_without_an_id_is_malformed(record: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match="no id"):
        supplier_invoice(record, "{}")


def test_an_ampersand_escaped_twice_is_mended() -> None:
    """Seen by those who fetched files: the URL held the escape of an ampersand as six characters."""
    assert attachment({"id": "a", "url": "https://files.example/a?b=1\\u0026c=2"}, "{}").url == (
        "https://files.example/a?b=1&c=2"
    )


def test_pages_end_where_meta_says_nothing_and_never_run_in_a_circle() -> None:
    """`next_page` is null at the end, or left out: qontoctl #630."""
    assert next_page_in({"next_page": "3"}, 2) == 3
    assert (
        next_page_in({"next_page": "9" * 5_000}, 2)
        is next_page_in({"next_page": None}, 2)
        is next_page_in({}, 2)
        is next_page_in(None, 2)
        is None
    )
    with pytest.raises(Malformed):
        next_page_in({"next_page": "2"}, 2)


def test_another_page_than_was_asked_for_is_no_answer_and_one_that_does_not_say_is() -> None:
    check_page({"current_page": "2"}, 2)
    check_page({}, 2)
    check_page(None, 2)
    with pytest.raises(Transient, match="page 1 where page 2"):
        check_page({"current_page": "1"}, 2)


LIST = b'{"errors":[{"code":"invalid_transition","detail":"no","source":{"pointer":"/x"}}],"trace_id":"abc-1"}'


@pytest.mark.parametrize(
    ("status", "body", "read_as", "uploaded_as", "code"),
    [
        (302, b"", Transient, OutcomeUnknown, None),
        (400, LIST, Rejected, Rejected, "invalid_transition"),
        (400, b'{"code":"bad_thing","detail":"no"}', Rejected, Rejected, "bad_thing"),
        (400, b'{"error":"invalid_grant","error_description":"no"}', Rejected, Rejected, "invalid_grant"),
        (400, b"<html>", Rejected, Rejected, "http_400"),
        (401, b"", ConsentLost, ConsentLost, None),
        (403, LIST, Rejected, Rejected, "forbidden"),
        (404, b'{"errors":{"message":"Not found"},"trace_id":"t"}', Rejected, Rejected, "not_found"),
        (408, b"", Transient, OutcomeUnknown, None),
        (413, b"<html>", Rejected, Rejected, "http_413"),
        (422, b'{"errors":{"code":"A customer\'s name"}}', Rejected, Rejected, "http_422"),
        (429, b"", Transient, Transient, None),
        (503, b"<html>", Transient, OutcomeUnknown, None),
    ],
)
def test_each_refusal_says_what_to_do(
    status: int, body: bytes, read_as: type[WellError], uploaded_as: type[WellError], code: str | None
) -> None:
    """docs.qonto.com, "Errors"; the other shapes are in Qonto's Postman collections and qontoctl's probe."""
    for error, kind in (
        (refusal_of_read(status, {}, body), read_as),
        (refusal_of_upload(status, {}, body), uploaded_as),
    ):
        assert type(error) is kind
        assert getattr(error, "code", None) == code
        assert "customer" not in error.sentence


def test_the_trace_id_is_told_and_a_strange_one_is_not() -> None:
    assert "Trace id abc-1." in refusal_of_read(400, {}, LIST).sentence
    assert "Trace id" not in refusal_of_read(400, {}, b'{"trace_id":"two words"}').sentence


@pytest.mark.parametrize(("text", "seconds"), [("7", 7.0), ("999999", 3600.0), ("soon", None), ("-1", None)])
def test_a_wait_is_believed_up_to_the_longest_window(text: str, seconds: float | None) -> None:
    error = refusal_of_read(429, {"Retry-After": text}, b"")
    assert isinstance(error, Transient)
    assert error.retry_after_seconds == seconds
