"""How a machine reads a bill: mostly right, wrong in the ways machines are wrong.

The shares below are of bills read, each drawn by itself, so most bills have no fault and a few have several. They are
chosen, not measured: no provider publishes its own. They are set so that each kind of fault turns up in a company of
a few hundred bills, and so that the amount stays the most trustworthy field, as every vendor of OCR says of it.
"""

from __future__ import annotations

import random
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from libs.contracts.identity import derived_id
from libs.contracts.money import Money
from well.demo.company.booked import BookedBill
from well.demo.company.file_names import file_name_of

NAME_MISSING: Final = 0.03
"""A logo is often the only place where a name stands, and a logo is not text."""
LEGAL_FORM_DROPPED: Final = 0.25
"""Letterheads show the trade name; the form stands in small print."""
NAME_IN_CAPITALS: Final = 0.15
"""Letterheads are often set in capitals."""
NAME_ABBREVIATED: Final = 0.04
"""A stamp or a short header: `Menuiserie Brémond` becomes `M. Brémond`."""
NAME_CONFUSED: Final = 0.05
"""One character read as its look-alike."""
NUMBER_MISSING: Final = 0.04
"""No label the reader knows stands beside the number."""
NUMBER_WITHOUT_MARKS: Final = 0.10
"""Spaces, hyphens and slashes fall out between boxes of text."""
NUMBER_WITHOUT_ZEROS: Final = 0.04
"""Read as a number, leading zeros go."""
NUMBER_CONFUSED: Final = 0.04
"""One character read as its look-alike."""
DUE_DATE_MISSING: Final = 0.15
"""Many bills say "30 days" and no date."""
DATE_BESIDE: Final = 0.02
"""The date of delivery or of the letter, some days off, is taken for the date of the bill."""
DATE_BESIDE_MAX_DAYS: Final = 6
"""Days. Deliveries lie within a week of their bill."""
DATE_TURNED: Final = 0.01
"""03/04 is read as the 4th of March: only where both readings are dates."""
TAX_MISSING: Final = 0.05
"""Several rates, or a tax line without a label."""
TOTAL_MISREAD: Final = 0.004
"""One digit read as another. Rare: readers check the sum against net and tax."""
VAT_NUMBER_MISSING: Final = 0.25
"""It stands in the smallest print of the page."""

_LOOKALIKES: Final = (("O", "0"), ("I", "1"), ("l", "1"), ("S", "5"), ("B", "8"), ("rn", "m"), ("Z", "2"))
"""Pairs that any font confuses, each in both directions."""
_MISREAD_DIGITS: Final = str.maketrans("0135678", "6786513")
"""Digits that share strokes; 2, 4 and 9 are read well."""
MONTHS: Final = 12
"""A day beyond it cannot be taken for a month."""
ORGANIZATION_ID: Final = str(derived_id("made-up company", "qonto organization"))
"""The one organization at Qonto all made-up bills belong to."""

_LEGAL_FORM: Final = re.compile(
    r"[ ,]+(SASU?|SARL|EURL|SA|SCI|SRL|S\.r\.l\.|S\.L\.|GmbH( & Co\. KG)?|B\.V\.|Inc\.?|LLC|Ltd\.?|LIMITED|LTD\.?|PLC)$"
)


def as_read_by_ocr(bill: BookedBill, chance: random.Random) -> dict[str, Any]:
    """The bill as Qonto would hold it after reading the supplier's document.

    Returns:
        A supplier invoice in Qonto's own shape (docs.qonto.com, supplier invoices), analysed, with a fault here and
        there. Its ids follow from the bill's; what it says follows from `chance` alone.
    """
    attachment_id = str(derived_id(bill.bill_id, "qonto attachment"))
    arrived_at = datetime.combine(bill.issue_date, time(7), UTC) + timedelta(minutes=chance.randrange(3 * 24 * 60))
    status = "paid" if bill.status == "PAID" else chance.choice(("to_review", "to_approve", "awaiting_payment"))
    return {
        **_untouched(),
        "id": str(derived_id(bill.bill_id, "qonto")),
        "organization_id": ORGANIZATION_ID,
        "status": status,
        "file_name": file_name_of(bill),
        "attachment_id": attachment_id,
        "display_attachment_id": attachment_id,
        "created_at": _instant(arrived_at),
        "analyzed_at": _instant(arrived_at + timedelta(seconds=chance.randrange(20, 400))),
        "updated_at": _instant(arrived_at + timedelta(minutes=chance.randrange(7, 3000))),
        "invoice_number": _number(bill.number, chance),
        "supplier_name": _name(bill.supplier.name, chance),
        "vat_number": None if chance.random() < VAT_NUMBER_MISSING else bill.supplier.vat_number,
        "iban": bill.supplier.iban.replace(" ", "") if bill.supplier.iban else None,
        **_amounts(bill, chance),
        **_dates(bill, chance),
    }


def confused(text: str, chance: random.Random) -> str:
    """The text with one character, or `rn`, read as its look-alike; unchanged when nothing in it has one."""
    swaps = [(seen, read) for pair in _LOOKALIKES for seen, read in (pair, pair[::-1]) if seen in text]
    if not swaps:
        return text
    seen, read = chance.choice(swaps)
    at = chance.choice([place for place in range(len(text)) if text.startswith(seen, place)])
    return text[:at] + read + text[at + len(seen) :]


def _untouched() -> dict[str, Any]:
    """What stands on every bill that came by mail and that nobody has worked on."""
    return {
        "source_type": "email",
        "source": "email_forward",
        "description": None,
        "tin": None,
        "taxes": [],
        "payment_date": None,
        "scheduled_date": None,
        "is_einvoice": False,
        "e_invoice_type": None,
        "is_credit_note": False,
        "has_duplicates": False,
        "has_discrepancies": False,
        "is_attachment_invoice": True,
        "is_attachment_non_financial": False,
        "attachment_category": "INVOICE",
        "matched_transactions": [],
        "related_invoices": [],
        "meta": {},
    }


def _name(name: str, chance: random.Random) -> str | None:
    if chance.random() < NAME_MISSING:
        return None
    if chance.random() < LEGAL_FORM_DROPPED:
        name = _LEGAL_FORM.sub("", name)
    first, _, rest = name.partition(" ")
    if chance.random() < NAME_ABBREVIATED and rest:
        name = f"{first[0]}. {rest}"
    if chance.random() < NAME_CONFUSED:
        name = confused(name, chance)
    return name.upper() if chance.random() < NAME_IN_CAPITALS else name


def _number(number: str | None, chance: random.Random) -> str | None:
    if number is None or chance.random() < NUMBER_MISSING:
        return None
    if chance.random() < NUMBER_WITHOUT_MARKS:
        number = re.sub(r"[\s/-]", "", number)
    if chance.random() < NUMBER_WITHOUT_ZEROS:
        number = number.lstrip("0")
    return (confused(number, chance) if chance.random() < NUMBER_CONFUSED else number) or None


def _amounts(bill: BookedBill, chance: random.Random) -> dict[str, Any]:
    total = _total_misread(bill.total, chance) if chance.random() < TOTAL_MISREAD else bill.total
    has_tax = chance.random() >= TAX_MISSING
    return {
        "total_amount": _amount(total),
        "payable_amount": _amount(total),
        "total_tax_amount": _amount(bill.tax) if has_tax else None,
        "total_amount_excluding_taxes": _amount(bill.net) if has_tax else None,
    }


def _dates(bill: BookedBill, chance: random.Random) -> dict[str, str | None]:
    has_due_date = bill.due_date is not None and chance.random() >= DUE_DATE_MISSING
    return {
        "issue_date": _issue_date(bill.issue_date, chance).isoformat(),
        "due_date": bill.due_date.isoformat() if bill.due_date and has_due_date else None,
    }


def _issue_date(day: date, chance: random.Random) -> date:
    if chance.random() < DATE_BESIDE:
        return day + timedelta(days=chance.choice((-1, 1)) * chance.randint(1, DATE_BESIDE_MAX_DAYS))
    if chance.random() < DATE_TURNED and day.day <= MONTHS:
        return day.replace(month=day.day, day=day.month)
    return day


def _total_misread(total: Money, chance: random.Random) -> Money:
    digits = str(total.minor)
    at = chance.randrange(len(digits))
    return Money(
        minor=int(digits[:at] + digits[at].translate(_MISREAD_DIGITS) + digits[at + 1 :]), currency=total.currency
    )


def _amount(amount: Money) -> dict[str, str]:
    return {"value": amount.decimal_text(), "currency": amount.currency}


def _instant(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds")
