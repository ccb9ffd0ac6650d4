"""Bills from a CSV file: `supplier_name, invoice_number, date, net_amount`, and whatever other columns stand there.

Commas separate the values, or semicolons, as spreadsheets in half of Europe write them. Empty lines are passed over.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain, islice
from pathlib import Path
from typing import Final, TextIO

from libs.contracts.errors import Malformed
from libs.contracts.money import MAX_MINOR, Money, money_from_text

COLUMNS: Final = ("supplier_name", "invoice_number", "date", "net_amount")

FIELD_MAX: Final = 255
"""Codepoints. Xero's limit for a contact's name and an invoice's number."""

LINE_MAX: Final = 20_000
"""Codepoints. Some hundred times a usual line: beyond it the file is no CSV of bills."""

YEARS: Final = range(1900, 2100)
"""Years a bill may be of. Outside them a date is a slip, and terms and first days of months run off the calendar."""

NET_MAX_MINOR: Final = MAX_MINOR // 2
"""Minor units. Half of what money can hold leaves room for any tax on top."""

BILLS_MAX: Final = 1_000_000
"""Bills. What one workspace is measured with; a larger file wants more than one machine's demo."""

_GZIP: Final = b"\x1f\x8b"
"""What a gzip file begins with, whatever it is called. Source: RFC 1952, section 2.3.1."""


@dataclass(frozen=True, slots=True)
class CsvBill:
    """One row. The amount is without tax and negative when the supplier owes; `invoice_number` is None when empty."""

    supplier_name: str
    invoice_number: str | None
    date: date
    net_amount: Money


def read_bills_csv(path: Path, limit: int | None = None, *, currency: str = "GBP") -> Iterator[CsvBill]:
    """Read bills from a CSV file in UTF-8, or one that gzip packed, in its order, at most `limit` and `BILLS_MAX`.

    The file has no column for the currency, so all amounts are in `currency`.

    Raises:
        Malformed: The file is cut off, is no UTF-8, lacks a column, has no bill, a line that is too long, or a value
            that is no name, date (`YYYY-MM-DD`) or amount; the sentence names line and column, never the value.
    """
    try:
        with _opened(path) as file:
            yield from _bills(file, BILLS_MAX if limit is None else min(limit, BILLS_MAX), currency)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise Malformed("The file is gzip, but cut off or damaged.", code="bad_gzip") from None
    except UnicodeDecodeError:
        raise Malformed("The file is not text in UTF-8.", code="bad_encoding") from None


def _opened(path: Path) -> TextIO:
    with path.open("rb") as file:
        is_packed = file.read(len(_GZIP)) == _GZIP
    if is_packed:
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open("r", encoding="utf-8-sig", newline="")


def _bills(file: TextIO, limit: int, currency: str) -> Iterator[CsvBill]:
    lines = _short_lines(file)
    first = next(lines, "")
    delimiter = ";" if ";" in first and "," not in first else ","
    reader = csv.reader(chain([first], lines), strict=True, delimiter=delimiter)
    try:
        header = [name.strip() for name in next(reader, [])]
        missing = [column for column in COLUMNS if column not in header]
        if missing:
            sentence = f"The first line names no column {', '.join(missing)}; a file of bills has {', '.join(COLUMNS)}."
            raise Malformed(sentence, code="missing_column")
        places = [header.index(column) for column in COLUMNS]
        rows = filter(None, reader)
        one = next(rows, None)
        if one is None:
            raise Malformed("The file has no bills below its first line.", code="no_bills")
        for row in islice(chain([one], rows), limit):
            if len(row) != len(header):
                raise _bad_line(reader.line_num, f"has {len(row)} values for {len(header)} columns")
            yield _bill([row[place] for place in places], reader.line_num, currency)
    except csv.Error:
        raise _bad_line(reader.line_num, "is not CSV; a quote may be open") from None


def _bill(values: list[str], line: int, currency: str) -> CsvBill:
    name, number, day, amount = (value.strip() for value in values)
    if not 0 < len(name) <= FIELD_MAX:
        raise _bad_line(line, f"column supplier_name: a name has 1 to {FIELD_MAX} characters")
    if len(number) > FIELD_MAX:
        raise _bad_line(line, f"column invoice_number: at most {FIELD_MAX} characters")
    try:
        issue_date = date.fromisoformat(day)
    except ValueError:
        raise _bad_line(line, "column date: not a date as in 2026-01-31") from None
    if issue_date.year not in YEARS:
        raise _bad_line(line, f"column date: not of the years {YEARS[0]} to {YEARS[-1]}")
    try:
        net_amount = money_from_text(amount, currency)
    except Malformed as defect:
        raise _bad_line(line, f"column net_amount: {defect.sentence}") from None
    if abs(net_amount.minor) > NET_MAX_MINOR:
        raise _bad_line(line, "column net_amount: beyond what a bill can be")
    return CsvBill(supplier_name=name, invoice_number=number or None, date=issue_date, net_amount=net_amount)


def _short_lines(file: TextIO) -> Iterator[str]:
    number = 0
    while line := file.readline(LINE_MAX + 1):
        number += 1
        if len(line) > LINE_MAX:
            raise _bad_line(number, f"is longer than {LINE_MAX} characters")
        yield line


def _bad_line(line: int, what: str) -> Malformed:
    return Malformed(f"Line {line} {what}." if not what.endswith(".") else f"Line {line} {what}", code="bad_line")
