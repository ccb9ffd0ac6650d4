"""What the providers' words become in our form."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from libs.contracts.entities import Bill, Company, QontoInvoice
from libs.contracts.events import EntityMalformed, EntityNormalized, EntityWithdrawn
from libs.contracts.identity import RecordKind
from libs.contracts.money import Money
from services.ingest.domain.normalized import normalized

BILL: dict[str, Any] = {
    "InvoiceID": "b-1",
    "Type": "ACCPAY",
    "Status": "AUTHORISED",
    "InvoiceNumber": " RE-17 ",
    "Contact": {"ContactID": "c-1", "Name": "Müller GmbH", "TaxNumber": "DE123"},
    "Date": "/Date(1539993600000+0000)/",
    "DueDate": "/Date(1542585600000+1300)/",
    "CurrencyCode": "EUR",
    "Total": "119.00",
    "TotalTax": "19.0",
    "HasAttachments": True,
}
CONTACT: dict[str, Any] = {"ContactID": "c-1", "Name": "Müller GmbH", "ContactStatus": "ACTIVE", "TaxNumber": ""}
INVOICE: dict[str, Any] = {
    "id": "q-1",
    "status": "to_review",
    "invoice_number": "RE-17",
    "supplier_name": "Muller",
    "vat_number": None,
    "tin": "123",
    "total_amount": {"value": "119.00", "currency": "EUR"},
    "issue_date": "2018-10-20",
    "created_at": "2022-03-04T17:58:30+02:00",
    "available_actions": {"anything": ["new"]},
}


def said(kind: RecordKind, words: object) -> EntityNormalized | EntityWithdrawn | EntityMalformed:
    return normalized(words, kind=kind, version=3, content_sha256="0" * 64)


def bill(**changed: object) -> Bill:
    event = said("bill", {**BILL, **changed})
    assert isinstance(event, EntityNormalized)
    assert isinstance(event.entity, Bill)
    return event.entity


def test_a_bill_is_read_with_exact_money_and_utc_dates() -> None:
    read = bill()
    assert (read.total, read.total_tax) == (Money(minor=11900, currency="EUR"), Money(minor=1900, currency="EUR"))
    assert (read.number, read.supplier_name, read.contact_id) == ("RE-17", "Müller GmbH", "c-1")
    # Document dates are midnight UTC whatever the offset says. Source: developer.xero.com, "Dates".
    assert (read.issue_date, read.due_date) == (date(2018, 10, 20), date(2018, 11, 19))
    assert read.has_document
    assert read.defects == ()


@pytest.mark.parametrize(("total", "minor"), [("0.00", 0), (250, 25000), ("-12.5", -1250)])
def test_whole_numbers_zero_and_credit_are_amounts(total: object, minor: int) -> None:
    assert bill(Total=total).total == Money(minor=minor, currency="EUR")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"CurrencyCode": "XQQ"}, "unknown_currency"),
        ({"CurrencyCode": None}, "no_currency"),
        ({"Total": None}, "no_amount"),
        ({"Total": 119.5}, "bad_amount"),
        ({"Total": "1.005"}, "bad_amount"),
        ({"Total": True}, "bad_amount"),
    ],
)
def test_an_amount_that_cannot_be_read_is_a_defect_with_a_sentence(changed: dict[str, object], code: str) -> None:
    read = bill(**changed)
    assert read.total is None
    assert code in [defect.code for defect in read.defects]
    assert all(defect.sentence.endswith(".") for defect in read.defects)


def test_a_currency_that_spoils_two_amounts_is_one_defect() -> None:
    assert [defect.code for defect in bill(CurrencyCode="XQQ").defects] == ["unknown_currency"]


def test_the_defect_of_the_total_is_told_first_since_it_is_why_the_bill_takes_no_part() -> None:
    read = bill(CurrencyCode="XXX", Date="20 October", TotalTax="none")
    assert [defect.code for defect in read.defects] == ["unknown_currency", "bad_date"]


@pytest.mark.parametrize(
    ("total", "currency", "minor"),
    [
        ("119.9900000000000000000000000000000000000", "EUR", 11999),
        ("1500.00", "JPY", 1500),
        ("1500.50", "JPY", None),
        ("1.234", "KWD", 1234),
        ("1.2345", "KWD", None),
        ("119.9900000000000000001", "EUR", None),
        ("1E+2", "EUR", 10000),
        ("1" + "0" * 39, "EUR", None),
    ],
)
def test_decimals_count_as_the_currency_has_them_and_none_is_rounded(
    total: str, currency: str, minor: int | None
) -> None:
    read = bill(Total=total, CurrencyCode=currency, TotalTax=None)
    assert read.total == (None if minor is None else Money(minor=minor, currency=currency))


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("/Date(1539993600000)/", date(2018, 10, 20)),
        ("/Date(1539993600000-0500)/", date(2018, 10, 20)),
        ("/Date(-86400000+0000)/", date(1969, 12, 31)),
    ],
)
def test_an_offset_of_a_date_may_be_missing_and_never_moves_the_day(written: str, day: date) -> None:
    # Source: developer.xero.com, "Dates": the offset may be missing; take the UTC date, never local.
    assert bill(Date=written).issue_date == day


def test_what_text_of_a_database_cannot_hold_is_left_out_of_a_name() -> None:
    assert bill(Contact={"Name": "Nul\x00l \ud800 SA"}).supplier_name == "Null ? SA"


def test_a_date_that_cannot_be_read_is_a_defect_and_its_iso_sibling_stands_in() -> None:
    read = bill(Date="20 October", DateString="2018-10-20T00:00:00")
    assert read.issue_date == date(2018, 10, 20)
    assert [defect.code for defect in read.defects] == ["bad_date"]


@pytest.mark.parametrize(("status", "reason"), [("VOIDED", "voided"), ("DELETED", "deleted")])
def test_a_voided_or_deleted_bill_is_withdrawn(status: str, reason: str) -> None:
    event = said("bill", {**BILL, "Status": status})
    assert isinstance(event, EntityWithdrawn)
    assert (event.reason, event.kind, event.version) == (reason, "bill", 3)


def test_sales_invoices_and_drafts_are_kept_for_the_matcher_to_judge() -> None:
    read = bill(Type="ACCREC", Status="DRAFT")
    assert (read.type, read.status) == ("ACCREC", "DRAFT")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], "not_an_object"),
        ({}, "no_id"),
        ({**BILL, "InvoiceID": 7}, "no_id"),
        ({**BILL, "InvoiceID": "b\x001"}, "no_id"),
        ({**BILL, "InvoiceID": "b" * 201}, "no_id"),
        ({**BILL, "Type": None}, "no_type"),
        ({**BILL, "Status": "  "}, "no_status"),
    ],
)
def test_what_is_no_invoice_record_is_malformed(words: object, code: str) -> None:
    event = said("bill", words)
    assert isinstance(event, EntityMalformed)
    assert event.code == code


def test_a_contact_is_a_company_and_an_archived_one_is_marked() -> None:
    event = said("contact", {**CONTACT, "ContactStatus": "ARCHIVED"})
    assert isinstance(event, EntityNormalized)
    assert event.entity == Company(contact_id="c-1", name="Müller GmbH", archived=True)


def test_a_merged_contact_is_withdrawn() -> None:
    event = said("contact", {**CONTACT, "MergedToContactID": "c-2", "ContactStatus": "ARCHIVED"})
    assert isinstance(event, EntityWithdrawn)
    assert event.reason == "merged"


def test_a_supplier_invoice_is_read_and_unknown_attributes_are_tolerated() -> None:
    event = said("supplier_invoice", INVOICE)
    assert isinstance(event, EntityNormalized)
    read = event.entity
    assert isinstance(read, QontoInvoice)
    assert (read.total, read.total_tax, read.tax_number) == (Money(minor=11900, currency="EUR"), None, "123")
    assert (read.issue_date, read.due_date, read.analyzed_at) == (date(2018, 10, 20), None, None)
    assert read.created_at is not None


def test_a_garbled_amount_of_qonto_is_as_good_as_not_read_yet() -> None:
    event = said("supplier_invoice", {**INVOICE, "total_amount": {"value": "11,900", "currency": "EUR"}})
    assert isinstance(event, EntityNormalized)
    assert isinstance(event.entity, QontoInvoice)
    assert event.entity.total is None


@pytest.mark.parametrize("beyond", ["0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-01:00"])
def test_an_instant_of_qonto_that_no_calendar_has_in_utc_is_as_good_as_none(beyond: str) -> None:
    event = said("supplier_invoice", {**INVOICE, "created_at": beyond, "analyzed_at": beyond})
    assert isinstance(event, EntityNormalized)
    assert isinstance(event.entity, QontoInvoice)
    assert (event.entity.created_at, event.entity.analyzed_at) == (None, None)


def test_a_deleted_supplier_invoice_is_withdrawn() -> None:
    event = said("supplier_invoice", {**INVOICE, "deleted_at": "2022-03-04T17:58:30+02:00"})
    assert isinstance(event, EntityWithdrawn)
    assert event.reason == "deleted"


@pytest.mark.parametrize("status", ["rejected", "discarded", "to_pay"])
def test_a_state_of_qonto_is_kept_as_it_is_written(status: str) -> None:
    event = said("supplier_invoice", {**INVOICE, "status": status})
    assert isinstance(event, EntityNormalized)
    assert isinstance(event.entity, QontoInvoice)
    assert event.entity.status == status
