"""Reading bills from CSV: what is read, what is refused, and where the refusal points."""

from __future__ import annotations

import gzip
import os
from datetime import date
from pathlib import Path

import pytest

from libs.contracts.errors import Malformed
from libs.contracts.money import Money
from tests.support.shared import shared
from well.demo.company import CsvBill, company_from_csv, read_bills_csv
from well.demo.scene import Script

HEADER = "supplier_name,invoice_number,date,net_amount\n"


def _written(folder: Path, text: str) -> Path:
    path = folder / "bills.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_are_found_by_name_and_others_are_passed_over(tmp_path: Path) -> None:
    path = _written(tmp_path, "id,net_amount,date,supplier_name,invoice_number\n7,-12.50,2011-01-04,Rompa, P-03 \n")
    assert list(read_bills_csv(path)) == [
        CsvBill("Rompa", "P-03", date(2011, 1, 4), Money(minor=-1250, currency="GBP")),
    ]


@pytest.mark.parametrize("name", ["bills.csv.gz", "BILLS.CSV.GZ", "download.csv"])
def test_a_compressed_file_reads_as_the_plain_one_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    text = HEADER + '"Bell, Sons",,2011-01-04,1.00\n'
    zipped = tmp_path / "zipped" / name
    zipped.parent.mkdir()
    zipped.write_bytes(gzip.compress(text.encode(), mtime=0))
    assert list(read_bills_csv(zipped)) == list(read_bills_csv(_written(tmp_path, text)))


def test_the_limit_stops_the_reading_before_the_next_line_is_looked_at(tmp_path: Path) -> None:
    path = _written(tmp_path, HEADER + "A,1,2011-01-04,1.00\nB,2,never,1.00\n")
    assert [bill.supplier_name for bill in read_bills_csv(path, 1)] == ["A"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("A,1,04/01/2011,1.00", "Line 3 column date"),
        ("A,1,0001-01-01,1.00", "Line 3 column date"),
        ("A,1,9999-12-31,1.00", "Line 3 column date"),
        ("A,1,2011-01-04,9999999999999.99", "Line 3 column net_amount"),
        ("A,1,2011-01-04,1.005", "Line 3 column net_amount"),
        ("A,1,2011-01-04,", "Line 3 column net_amount"),
        ("A,1,2011-01-04,NaN", "Line 3 column net_amount"),
        (",1,2011-01-04,1.00", "Line 3 column supplier_name"),
        (f"A,{'9' * 300},2011-01-04,1.00", "Line 3 column invoice_number"),
        ("A,1,2011-01-04", "Line 3 has 3 values for 4 columns"),
        ('"A,1,2011-01-04,1.00', "Line 3 is not CSV"),
        ("A" * 20_001, "Line 3 is longer than"),
    ],
)
def test_a_bad_line_is_named_with_its_column_and_without_its_value(tmp_path: Path, line: str, complaint: str) -> None:
    path = _written(tmp_path, HEADER + "A,1,2011-01-04,1.00\n" + line)
    with pytest.raises(Malformed) as refused:
        list(read_bills_csv(path))
    assert refused.value.sentence.startswith(complaint)
    assert "04/01" not in refused.value.sentence


def test_the_last_day_and_the_largest_amount_that_are_read_make_a_company(tmp_path: Path) -> None:
    lines = "A,1,1900-01-01,5000000000000.00\nB,2,2099-12-31,0.00\nC,3,2024-02-29,-5000000000000.00\n"
    rows = list(read_bills_csv(_written(tmp_path, HEADER + lines)))
    assert len(company_from_csv(rows, 1, date(2026, 11, 23), share_in_qonto=1.0).xero_invoices) == 3


def test_semicolons_separate_and_empty_lines_are_passed_over(tmp_path: Path) -> None:
    text = "\ufeffsupplier_name; invoice_number;date;net_amount\r\n\r\nBell, Sons;P-1;2011-01-04;1.00\r\n\r\n"
    path = tmp_path / "bills.csv"
    path.write_bytes(text.encode())
    assert [(bill.supplier_name, bill.invoice_number) for bill in read_bills_csv(path)] == [("Bell, Sons", "P-1")]


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="names no column date, net_amount"):
        list(read_bills_csv(_written(tmp_path, "supplier_name,invoice_number\nA,1\n")))


@pytest.mark.parametrize("below", ["", "\n\n"])
def test_a_file_without_a_bill_is_refused(tmp_path: Path, below: str) -> None:
    with pytest.raises(Malformed, match="no bills below its first line"):
        list(read_bills_csv(_written(tmp_path, HEADER + below)))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "names no column"),
        (gzip.compress((HEADER + "A,1,2011-01-04,1.00\n" * 100).encode(), mtime=0)[:-12], "gzip, but cut off"),
        (gzip.compress(HEADER.encode(), mtime=0) + b"and more", "gzip, but cut off or damaged"),
        (b"supplier_name", "names no column invoice_number"),
        (bytes(range(256)), "UTF-8"),
        (b"\0" * 100, "names no column"),
    ],
)
def test_what_is_no_whole_file_of_bills_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "bills.csv.gz"
    path.write_bytes(content)
    with pytest.raises(Malformed, match=sentence):
        list(read_bills_csv(path))


def test_bills_through_a_pipe_are_refused_since_a_killed_run_reads_them_again(tmp_path: Path) -> None:
    pipe = tmp_path / "bills.csv"
    os.mkfifo(pipe)
    with pytest.raises(Malformed, match="no file but a pipe"):
        Script(bills=pipe, limit=None, today=date(2026, 11, 23)).installation()


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bills.csv"
    path.write_bytes(HEADER.encode() + "Brémond,1,2011-01-04,1.00\n".encode("latin-1"))
    with pytest.raises(Malformed, match="UTF-8"):
        list(read_bills_csv(path))


def test_five_thousand_real_bills_become_a_company() -> None:
    rows = list(read_bills_csv(shared("data/bills-sheffield.csv.gz"), 5_000))
    company = company_from_csv(rows, 1, date(2026, 11, 23))
    assert len(rows) == len(company.xero_invoices) == len(company.xero_attachments) == 5_000
    assert {invoice["Type"] for invoice in company.xero_invoices} == {"ACCPAY"}
    assert 2_850 < len(company.truth.in_qonto) < 3_150
    assert len(company.qonto_invoices) == len(company.truth.in_qonto) + 50
