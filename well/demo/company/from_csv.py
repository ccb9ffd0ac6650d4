"""A company whose bills are the rows of a file."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from libs.contracts.identity import derived_id
from libs.contracts.money import Money
from well.demo.company.booked import BookedBill, BookedLine, Kind, Supplier
from well.demo.company.company import Company, assemble
from well.demo.company.csv_bills import CsvBill
from well.demo.company.ledger import NEWEST_DAYS_AGO, touched_after
from well.demo.company.suppliers import contact_id

UK_TAX_PER_MILLE: Final = 200
"""The standard rate of British VAT since 4 January 2011 (Finance (No. 2) Act 2010, section 3)."""

TERM: Final = timedelta(days=30)
"""What British law assumes when a bill names no term (Late Payment of Commercial Debts (Interest) Act 1998)."""

PAID_SHARE: Final = 0.5
"""Of bills. Paid and unpaid bills are matched alike; both kinds should be seen."""

ORPHANS: Final = 0.01
"""Of bills. Qonto invoices like those of the file, with a number, date and amount of their own."""

BILL_TO: Final = ("Hallam Works Ltd", "1 Arundel Gate", "Sheffield S1 2PN", "United Kingdom")
"""Nobody. The files are published payments of public bodies; their bills are not ours to address to them."""


def company_from_csv(rows: Iterable[CsvBill], seed: int, today: date, *, share_in_qonto: float = 0.6) -> Company:
    """Book every row as a bill with its PDF, and let Qonto have read a share of them.

    A row is a bill of its own even when another says the same: published files do hold such pairs, and `Truth.alike`
    names them. A negative amount is booked as Xero would hold it, as a supplier's credit (ACCPAYCREDIT) of the
    positive amount and without a file: it is no bill, and Well leaves it alone. What the file does not say (address,
    VAT number, account) is left out.
    """
    chance = random.Random(seed)
    suppliers: dict[str, Supplier] = {}
    bills = []
    for place, row in enumerate(rows):
        supplier = suppliers.get(row.supplier_name)
        if supplier is None:
            supplier = suppliers[row.supplier_name] = _supplier(seed, row)
        bills.append(_booked(str(derived_id("made-up company", seed, "row", place)), row, supplier, today, chance))
    payable = [bill for bill in bills if bill.kind == "ACCPAY"]
    mailed_by = today - timedelta(days=NEWEST_DAYS_AGO)
    in_qonto = {bill.bill_id for bill in payable if chance.random() < share_in_qonto and bill.issue_date <= mailed_by}
    models = chance.sample(payable, int(len(payable) * ORPHANS))
    return assemble(
        bills,
        in_qonto=in_qonto,
        orphans=[_orphan_like(bill, chance) for bill in models],
        awkward={},
        bill_to=BILL_TO,
        today=today,
        chance=chance,
    )


def _supplier(seed: int, row: CsvBill) -> Supplier:
    return Supplier(
        contact_id=contact_id(seed, row.supplier_name),
        name=row.supplier_name,
        address=(),
        vat_number=None,
        iban=None,
        language="en",
        currency=row.net_amount.currency,
        tax_per_mille=UK_TAX_PER_MILLE,
    )


def _booked(bill_id: str, row: CsvBill, supplier: Supplier, today: date, chance: random.Random) -> BookedBill:
    kind: Kind = "ACCPAYCREDIT" if row.net_amount.minor < 0 else "ACCPAY"
    net = Money(minor=abs(row.net_amount.minor), currency=row.net_amount.currency)
    return BookedBill(
        bill_id=bill_id,
        supplier=supplier,
        number=row.invoice_number,
        issue_date=row.date,
        due_date=row.date + TERM,
        lines=(BookedLine("Supplies and services as ordered", 1, net, supplier.tax_per_mille),),
        touched_at=touched_after(row.date, today, chance),
        kind=kind,
        status="PAID" if chance.random() < PAID_SHARE else "AUTHORISED",
        attached="paper" if kind == "ACCPAY" else "nothing",
    )


def _orphan_like(bill: BookedBill, chance: random.Random) -> BookedBill:
    """An earlier bill of the same supplier, which nobody booked: a month and some numbers before, another amount."""
    line = bill.lines[0]
    unit = Money(minor=chance.randrange(2_000, 500_000), currency=bill.currency)
    issue_date = bill.issue_date - timedelta(days=chance.randint(20, 40))
    number = re.sub(r"\d+$", lambda last: _counted_down(last[0], chance.randint(2, 9)), bill.number or "")
    return replace(
        bill,
        bill_id=str(derived_id(bill.bill_id, "orphan")),
        number=number or None,
        issue_date=issue_date,
        due_date=issue_date + TERM,
        lines=(replace(line, unit=unit),),
    )


def _counted_down(digits: str, by: int) -> str:
    return str(max(int(digits) - by, 0)).zfill(len(digits))
