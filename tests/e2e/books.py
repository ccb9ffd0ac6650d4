"""A few bills in a file, as somebody who tries Well brings them, and the summary of what became of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

HEADER: Final = "supplier_name,invoice_number,date,net_amount"

ENDS: Final = ("linked", "posted", "review", "unmatched", "ineligible", "rejected")
"""Each bill has one of them."""


def assert_nothing_is_amiss(figures: dict[str, Any]) -> None:
    """Every bill came to an end, and none to a wrong one."""
    assert sum(figures[end] for end in ENDS) == figures["decided"] == figures["bills"]
    assert figures["lost"] == figures["posted_twice"] == figures["wrong_links"] == 0
    assert figures["posted_though_held"] == 0
    assert figures["posted"] == figures["verified"] + figures["differs"] + figures["unchecked"]


def bills_file(folder: Path, count: int = 12, *, credits_: int = 0) -> Path:
    """A CSV of so many bills of three suppliers, and so many credits, whose amounts are negative."""
    rows = [
        f"{_supplier(n)},RB-{4100 + n * 7},2026-0{n % 8 + 1}-{n % 27 + 1:02d},{n * 131 + 48}.{n % 10}5"
        for n in range(count)
    ]
    rows += [f"{_supplier(n)},CN-{4100 + n},2026-03-0{n + 1},-{n * 7 + 12}.40" for n in range(credits_)]
    file = folder / "bills.csv"
    file.write_text("\n".join([HEADER, *rows, ""]), "utf-8")
    return file


def _supplier(number: int) -> str:
    return ("Ridgeway Timber Ltd", "Calder Print Works", "Orchard & Sons Catering")[number % 3]
