"""How well and how fast public bills of Sheffield are matched: `python -m tests.bench.matcher.sheffield [ROWS]`.

The bills are real: payments over GBP 500 that Sheffield City Council published. A seeded share of them stands in Qonto
as OCR would have read them. Only pure computation is timed: no database, no sealing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from libs.contracts.entities import Bill, QontoInvoice
from libs.contracts.money import Money, money_from_text
from services.matcher.domain.decide import Decision, decide
from services.matcher.domain.neighbourhood import Holders, Neighbourhood
from services.matcher.domain.policy import STANDARD
from services.matcher.domain.standing import BillRow, InvoiceRow, learnt
from well.demo.company.company import Company
from well.demo.company.csv_bills import read_bills_csv
from well.demo.company.from_csv import company_from_csv

_CAUSE = UUID(int=0)
_TODAY = date(2026, 11, 1)
_NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def bill_of(xero: Mapping[str, Any]) -> Bill:
    """A bill from Xero's words, as far as this benchmark needs them."""
    currency = xero["CurrencyCode"]
    return Bill(
        bill_id=xero["InvoiceID"],
        type=xero["Type"],
        status=xero["Status"],
        number=xero["InvoiceNumber"] or None,
        contact_id=xero["Contact"]["ContactID"],
        supplier_name=xero["Contact"]["Name"],
        issue_date=date.fromisoformat(xero["DateString"][:10]),
        total=money_from_text(str(xero["Total"]), currency),
        total_tax=money_from_text(str(xero["TotalTax"]), currency),
        has_document=xero["HasAttachments"],
    )


def invoice_of(qonto: Mapping[str, Any]) -> QontoInvoice:
    """A supplier invoice from Qonto's words, as far as this benchmark needs them."""
    return QontoInvoice(
        invoice_id=qonto["id"],
        status=qonto["status"],
        number=qonto["invoice_number"],
        supplier_name=qonto["supplier_name"],
        tax_number=qonto["vat_number"],
        issue_date=date.fromisoformat(qonto["issue_date"]) if qonto["issue_date"] else None,
        total=_money(qonto["total_amount"]),
        total_tax=_money(qonto["total_tax_amount"]),
    )


def neighbourhood_of(bills: Iterable[Bill], invoices: Iterable[QontoInvoice]) -> Neighbourhood:
    """Everything at once, as if the whole workspace were one batch."""
    near = Neighbourhood()
    for bill in bills:
        near.bills[bill.bill_id] = learnt(
            None, bill.bill_id, bill=bill, withdrawn=None, version=1, cause=_CAUSE, at=_NOON
        )
    for invoice in invoices:
        near.invoices[invoice.invoice_id] = InvoiceRow(invoice.invoice_id, 1, invoice)
    of_bills, of_invoices = _by_key(near.bills), _by_key(near.invoices)
    for key in of_bills.keys() | of_invoices.keys():
        near.holders[key] = Holders(tuple(sorted(of_bills.get(key, ()))), tuple(sorted(of_invoices.get(key, ()))))
    return near


def decide_all(near: Neighbourhood) -> dict[str, Decision]:
    """The decision about every bill."""
    return {id_: decide(near.case_of(row, near.plausible(row)), STANDARD) for id_, row in near.bills.items()}


def figures(company: Company, decisions: Mapping[str, Decision]) -> dict[str, float]:
    """What came of it, against the truth."""
    truth = company.truth
    verdicts = Counter(decision.verdict for decision in decisions.values())
    links = {id_: decision.chosen[0] for id_, decision in decisions.items() if decision.verdict == "link"}
    wrong_links = [id_ for id_, invoice_id in links.items() if not truth.is_right_link(id_, invoice_id)]
    wrong_posts = [id_ for id_ in truth.in_qonto if decisions[id_].verdict == "post"]
    right = len(links) - len(wrong_links)
    return {
        "bills": len(decisions),
        "in_qonto": len(truth.in_qonto),
        "precision": right / max(1, len(links)),
        "recall": right / max(1, len(truth.in_qonto)),
        "wrong_links": len(wrong_links),
        "wrong_posts": len(wrong_posts),
        **{f"share_{verdict}": count / len(decisions) for verdict, count in sorted(verdicts.items())},
    }


def main() -> None:
    """Load, decide, print a line a figure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=5_000)
    parser.add_argument("--csv", type=Path, default=Path("../shared/data/bills-sheffield.csv.gz"))
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    if not asked.csv.exists():
        sys.stdout.write(f"skipped: {asked.csv} is not here\n")
        return
    company = company_from_csv(read_bills_csv(asked.csv, asked.rows), asked.seed, _TODAY)
    bills = [bill_of(invoice) for invoice in company.xero_invoices]
    invoices = [invoice_of(invoice) for invoice in company.qonto_invoices]
    started = time.perf_counter()
    near = neighbourhood_of(bills, invoices)
    learnt_seconds = time.perf_counter() - started
    started = time.perf_counter()
    decisions = decide_all(near)
    decided_seconds = time.perf_counter() - started
    rates = {
        "learnt_per_second": (len(bills) + len(invoices)) / learnt_seconds,
        "decided_per_second": len(bills) / decided_seconds,
    }
    for name, value in {**figures(company, decisions), **rates}.items():
        sys.stdout.write(f"{name:20} {value:,.4f}\n" if value < 1 else f"{name:20} {value:,.0f}\n")


def _money(amount: Mapping[str, str] | None) -> Money | None:
    return money_from_text(amount["value"], amount["currency"]) if amount else None


def _by_key(rows: Mapping[str, BillRow] | Mapping[str, InvoiceRow]) -> dict[str, list[str]]:
    held: dict[str, list[str]] = defaultdict(list)
    for id_, row in rows.items():
        for key in row.keys:
            held[key].append(id_)
    return held


if __name__ == "__main__":
    main()
