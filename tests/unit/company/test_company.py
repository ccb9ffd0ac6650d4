"""The made-up company: the same each time, whole in itself, and true to the providers' shapes."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from libs.contracts.money import Money, money_from_text
from libs.paper import Paper, render_bill
from well.demo.company import Company, CsvBill, Truth, company_from_csv, json_bytes, make_company

TODAY = date(2026, 11, 23)

csv_bills = st.builds(
    CsvBill,
    supplier_name=st.sampled_from(["ROMPA", "P N DALY", "Bell & Sons Ltd", "Nørrebro A/S"]),
    invoice_number=st.none() | st.text(min_size=1, max_size=30),
    date=st.dates(date(2011, 1, 4), TODAY),
    net_amount=st.integers(-(10**9), 10**9).map(lambda minor: Money(minor=minor, currency="GBP")),
)
companies = st.builds(make_company, st.integers(), st.just(TODAY), bills=st.integers(40, 150)) | st.builds(
    company_from_csv, st.lists(csv_bills, max_size=60), st.integers(), st.just(TODAY)
)


def _bill(company: Company, case: str) -> dict[str, Any]:
    bill_id = company.truth.awkward[case]
    return next(invoice for invoice in company.xero_invoices if invoice["InvoiceID"] == bill_id)


def _attachment(company: Company, case: str) -> dict[str, Any]:
    bill_id = company.truth.awkward[case]
    return next(held for held in company.xero_attachments if held["invoice_id"] == bill_id)


def _ids(company: Company) -> Iterator[str]:
    yield from (contact["ContactID"] for contact in company.xero_contacts)
    for invoice in company.xero_invoices:
        yield invoice["InvoiceID"]
        yield from (line["LineItemID"] for line in invoice["LineItems"])
    yield from (held["attachment_id"] for held in company.xero_attachments)
    for read in company.qonto_invoices:
        yield from (read["id"], read["attachment_id"])


@pytest.fixture(scope="module")
def company() -> Company:
    return make_company(7, TODAY)


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others(company: Company) -> None:
    assert make_company(7, TODAY).to_json() == company.to_json()
    assert make_company(8, TODAY).to_json() != company.to_json()


@settings(max_examples=25)
@given(companies)
def test_what_stands_in_the_books_adds_up(company: Company) -> None:
    for invoice in company.xero_invoices:
        lines = invoice["LineItems"]
        assert invoice["SubTotal"] == sum(line["LineAmount"] for line in lines) >= 0
        assert invoice["TotalTax"] == sum(line["TaxAmount"] for line in lines)
        assert invoice["Total"] == invoice["SubTotal"] + invoice["TotalTax"]
        assert all(line["LineAmount"] == line["Quantity"] * line["UnitAmount"] for line in lines)
        assert invoice["AmountDue"] + invoice["AmountPaid"] in {invoice["Total"], 0}


@settings(max_examples=25)
@given(companies)
def test_every_id_is_its_own_and_every_reference_leads_somewhere(company: Company) -> None:
    ids = list(_ids(company))
    assert len(ids) == len(set(ids))
    contacts = {contact["ContactID"] for contact in company.xero_contacts}
    bills = {invoice["InvoiceID"] for invoice in company.xero_invoices}
    assert {invoice["Contact"]["ContactID"] for invoice in company.xero_invoices} <= contacts
    assert {contact.get("MergedToContactID") for contact in company.xero_contacts} - {None} <= contacts
    with_files = {invoice["InvoiceID"] for invoice in company.xero_invoices if invoice["HasAttachments"]}
    assert {held["invoice_id"] for held in company.xero_attachments} == with_files
    read = {held["id"] for held in company.qonto_invoices}
    assert company.truth.in_qonto.keys() <= bills
    assert set(company.truth.awkward.values()) <= bills | contacts
    assert read == {*company.truth.in_qonto.values(), *company.truth.orphans}


@settings(max_examples=25)
@given(companies)
def test_nothing_has_happened_after_today(company: Company) -> None:
    midnight_ms = (TODAY - date(1970, 1, 1)) // timedelta(milliseconds=1)
    for invoice in company.xero_invoices:
        assert int(invoice["UpdatedDateUTC"].removeprefix("/Date(").removesuffix("+0000)/")) < midnight_ms
    assert all(read["updated_at"] < f"{TODAY}T00:00:00" for read in company.qonto_invoices)


@settings(max_examples=10)
@given(companies)
def test_every_document_says_what_its_bill_says(company: Company) -> None:
    bills = {invoice["InvoiceID"]: invoice for invoice in company.xero_invoices}
    papers = [held for held in company.xero_attachments if "paper" in held]
    for held in papers:
        paper, bill = Paper.model_validate(held["paper"]), bills[held["invoice_id"]]
        assert (paper.supplier_name, paper.number or "") == (bill["Contact"]["Name"], bill["InvoiceNumber"])
        assert paper.issue_date.isoformat() == bill["DateString"][:10]
        assert (Decimal(paper.total.decimal_text()), paper.currency) == (bill["Total"], bill["CurrencyCode"])
        assert not set('<>:"/\\|?*+') & set(held["file_name"])


def test_amounts_are_written_as_json_numbers_digit_by_digit(company: Company) -> None:
    assert json_bytes({"Total": Decimal("119.90")}) == b'{"Total":119.90}'
    read = json.loads(company.to_json(), parse_float=str)
    assert read["xero_invoices"][0]["Total"] == str(company.xero_invoices[0]["Total"])
    with pytest.raises(TypeError):
        json_bytes({"Total": {1}})


def test_as_many_bills_as_asked_for_and_two_records_that_are_none(company: Company) -> None:
    kinds = [invoice["Type"] for invoice in company.xero_invoices]
    assert (kinds.count("ACCPAY"), kinds.count("ACCREC"), kinds.count("ACCPAYCREDIT")) == (120, 1, 1)
    with pytest.raises(ValueError, match="at least 40"):
        make_company(7, TODAY, bills=39)


def test_the_company_has_suppliers_abroad_and_bills_in_their_money(company: Company) -> None:
    assert {invoice["CurrencyCode"] for invoice in company.xero_invoices} >= {"EUR", "USD", "GBP", "XQZ"}
    countries = {contact["TaxNumber"][:2] for contact in company.xero_contacts}
    assert countries >= {"FR", "DE", "GB"}


@pytest.mark.parametrize(
    ("case", "status"),
    [("draft", "DRAFT"), ("submitted", "SUBMITTED"), ("voided", "VOIDED"), ("deleted", "DELETED")],
)
def test_bills_that_are_not_due_are_there(company: Company, case: str, status: str) -> None:
    assert _bill(company, case)["Status"] == status


def test_each_awkward_bill_is_awkward_in_its_own_way(company: Company) -> None:
    assert _bill(company, "zero_total")["Total"] == 0
    assert _bill(company, "unknown_currency")["CurrencyCode"] == "XQZ"
    assert "DueDate" not in _bill(company, "no_due_date")
    assert _bill(company, "no_number")["InvoiceNumber"] == ""
    assert _bill(company, "no_pdf")["HasAttachments"] is False
    assert _bill(company, "long_description")["LineItems"][0]["Description"].count("\n") > 20
    one, other = _bill(company, "same_number_in_qonto"), _bill(company, "same_number_other_supplier")
    assert one["InvoiceNumber"] == other["InvoiceNumber"]
    assert one["Contact"] != other["Contact"]


def test_only_one_of_the_awkward_bills_is_at_qonto(company: Company) -> None:
    at_qonto = {case for case, bill_id in company.truth.awkward.items() if bill_id in company.truth.in_qonto}
    assert at_qonto == {"same_number_in_qonto"}


def test_one_contact_is_archived_and_one_was_merged_into_another(company: Company) -> None:
    contacts = {contact["ContactID"]: contact for contact in company.xero_contacts}
    merged = contacts[company.truth.awkward["merged_contact"]]
    assert contacts[company.truth.awkward["archived_contact"]]["ContactStatus"] == "ARCHIVED"
    assert contacts[merged["MergedToContactID"]]["ContactStatus"] == "ACTIVE"
    assert merged["ContactStatus"] == "ARCHIVED"


def test_the_huge_file_is_a_short_recipe_and_the_broken_one_cannot_be_read(company: Company) -> None:
    huge = _attachment(company, "huge_pdf")
    assert len(json_bytes(huge)) < 5_000
    assert len(render_bill(Paper.model_validate(huge["paper"]))) > 25_000_000
    broken = base64.b64decode(_attachment(company, "broken_pdf")["content_base64"])
    with pytest.raises(PyPdfError):
        PdfReader(io.BytesIO(broken), strict=True)


def test_a_negative_row_is_a_credit_of_the_positive_amount_and_not_at_qonto() -> None:
    owed = CsvBill("ROMPA", "C-1", date(2011, 1, 4), money_from_text("-120.00", "GBP"))
    company = company_from_csv([owed], 1, TODAY, share_in_qonto=1.0)
    assert [(held["Type"], held["Total"]) for held in company.xero_invoices] == [("ACCPAYCREDIT", Decimal("144.00"))]
    assert company.qonto_invoices == company.xero_attachments == ()


def test_rows_that_say_the_same_are_bills_of_their_own_and_known_to_be_alike() -> None:
    row = CsvBill("ROMPA", "39852", date(2011, 1, 4), money_from_text("120.00", "GBP"))
    truth = company_from_csv([row, row], 1, TODAY, share_in_qonto=1.0).truth
    ((one, other),) = truth.alike
    assert len(truth.in_qonto) == 2
    assert truth.is_right_link(one, truth.in_qonto[other])
    assert not truth.is_right_link("another bill", truth.in_qonto[other])


def test_the_truth_is_saved_and_read_again(company: Company, tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    company.truth.save(path)
    assert Truth.load(path) == company.truth
