"""`well demo --once`: from consent to posted invoices, and out."""

from __future__ import annotations

import pytest

from tests.e2e.books import HEADER, assert_nothing_is_amiss, bills_file
from tests.e2e.home import Ended, Home, Said
from tests.support.shared import shared


def figures_of(ended: Ended) -> Said:
    """The summary, which is the only line, of a run that ended well."""
    assert ended.status == 0, ended.complaint
    assert "Traceback" not in ended.complaint
    (figures,) = ended.lines
    assert_nothing_is_amiss(figures)
    return figures


async def test_a_run_that_had_ended_starts_anew(home: Home) -> None:
    command = ("demo", "--once", "--json", "--bills", str(bills_file(home.folder, credits_=2)))
    first = figures_of(await home.run(*command))
    posted = {invoice["id"] for invoice in await home.uploads()}
    second = figures_of(await home.run(*command))
    assert (first["bills"], first["ineligible"]) == (14, 2)
    assert len(posted) == first["posted"] > 0
    timeless = [name for name in first if "second" not in name]
    assert [first[name] for name in timeless] == [second[name] for name in timeless]
    assert posted.isdisjoint(invoice["id"] for invoice in await home.uploads())


async def test_bills_that_a_public_body_paid(home: Home) -> None:
    bills = shared("data/bills-sheffield.csv.gz")
    figures = figures_of(await home.run("demo", "--once", "--json", "--bills", str(bills), "--limit", "150"))
    assert figures["bills"] == 150
    assert figures["linked"] > figures["posted"] > 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"supplier_name,invoice_number,date\nRidgeway,1,2026-01-31\n", "names no column net_amount"),
        (f"{HEADER}\n".encode(), "no bills below its first line"),
        (f"{HEADER}\nRidgeway,1,31/01/2026,12.00\n".encode(), "Line 2 column date: not a date as in 2026-01-31"),
        (f"{HEADER}\nRidgeway,1,2026-01-31,twelve\n".encode(), "Line 2 column net_amount"),
        (f"{HEADER}\nCaf\xe9,1,2026-01-31,12.00\n".encode("latin-1"), "not text in UTF-8"),
    ],
    ids=["no-amounts", "no-bills", "bad-date", "bad-amount", "latin-1"],
)
async def test_a_file_that_is_no_bills_is_refused_with_a_sentence(home: Home, content: bytes, sentence: str) -> None:
    file = home.folder / "bills.csv"
    file.write_bytes(content)
    ended = await home.run("demo", "--once", "--json", "--bills", str(file))
    assert ended.status == 1
    assert ended.output == ""
    assert sentence in ended.complaint
    assert "Traceback" not in ended.complaint
    assert not (home.folder / "current").exists()  # nothing was started, so nothing stands in for what was
