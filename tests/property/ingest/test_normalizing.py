"""Whatever a provider writes becomes one event."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.events import EntityMalformed, EntityNormalized
from libs.contracts.identity import RecordKind
from services.ingest.domain.normalized import normalized

NUMBERS = st.integers() | st.floats() | st.decimals(allow_nan=True).map(str)
TEXTS = st.text() | st.text(st.characters(exclude_categories=()))  # halves of surrogate pairs too, which JSON may hold
VALUES = st.none() | st.booleans() | TEXTS | NUMBERS | st.sampled_from(["EUR", "VOIDED", "/Date(0)/", "2020-01-01"])
FIELDS = st.sampled_from(
    "InvoiceID Type Status Contact Date DateString DueDate CurrencyCode Total TotalTax HasAttachments ContactID Name "
    "MergedToContactID id status total_amount total_tax_amount issue_date created_at deleted_at value currency".split()
)
RECORDS = st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(FIELDS, inner))
KINDS = st.sampled_from(["bill", "contact", "supplier_invoice"])


@given(RECORDS, KINDS)
def test_any_json_gives_exactly_one_event_and_the_same_one_each_time(words: object, kind: RecordKind) -> None:
    first = normalized(words, kind=kind, version=1, content_sha256="0" * 64)
    assert first == normalized(words, kind=kind, version=1, content_sha256="0" * 64)
    assert "\\u0000" not in first.model_dump_json()


@given(st.dictionaries(FIELDS, VALUES))
def test_a_bill_with_id_type_and_status_is_never_malformed(words: dict[str, object]) -> None:
    whole = {**words, "InvoiceID": "b", "Type": "ACCPAY", "Status": "AUTHORISED"}
    event = normalized(whole, kind="bill", version=1, content_sha256="0" * 64)
    assert isinstance(event, EntityNormalized)
    assert not isinstance(event, EntityMalformed)


@given(st.integers(-(10**14), 10**14))
def test_money_keeps_every_cent(cents: int) -> None:
    sign, whole, rest = ("-" if cents < 0 else ""), abs(cents) // 100, abs(cents) % 100
    words = {
        "InvoiceID": "b",
        "Type": "ACCPAY",
        "Status": "PAID",
        "CurrencyCode": "EUR",
        "Total": f"{sign}{whole}.{rest:02}",
    }
    event = normalized(words, kind="bill", version=1, content_sha256="0" * 64)
    assert isinstance(event, EntityNormalized)
    assert event.entity.kind == "bill"
    assert event.entity.total is not None
    assert event.entity.total.minor == cents
