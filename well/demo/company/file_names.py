"""What a supplier's file is called."""

from __future__ import annotations

import re
from typing import Final

from well.demo.company.booked import BookedBill

_REFUSED: Final = re.compile(r'[<>:"/\\|?*+\s]+')
"""Characters Xero refuses in the name of an attachment (developer.xero.com, attachments), and white space."""

NAME_MAX: Final = 60
"""Codepoints, before `.pdf`: names longer than that are cut by mail programs anyway."""


def file_name_of(bill: BookedBill) -> str:
    """`Lumen-Télécom-SA-F2026-014.pdf`: the supplier and its number, in characters every provider takes."""
    stem = _REFUSED.sub("-", f"{bill.supplier.name} {bill.number or bill.issue_date.isoformat()}")
    return f"{stem[:NAME_MAX].strip('-.')}.pdf"
