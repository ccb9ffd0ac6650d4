"""A year and a half of a small company's purchases: rent and telephone each month, everything else now and then."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from libs.contracts.identity import derived_id
from libs.contracts.money import Money
from well.demo.company.booked import Attached, BookedBill, BookedLine, Status
from well.demo.company.suppliers import OCCASIONAL, REGULAR, Sends, local_rows, sends_of

MONTHS_BACK: Final = 18
"""Months. Long enough for a year's rhythm and for bills that were settled long ago."""

NEWEST_DAYS_AGO: Final = 6
"""Days. The newest bill has been through the post, the books and Qonto's inbox by `today`."""

REGULAR_SHARE: Final = 0.5
"""Of bills. About what a small company's ledger shows: half of it comes back every month."""

WITHOUT_PDF: Final = 0.05
"""Of bills. Typed in by hand from a till receipt or a contract."""

PAID_SHARE: Final = 0.85
"""Of bills past their term. The rest waits or is disputed."""

PAID_AFTER: Final = timedelta(days=45)
"""After the date of issue: two weeks beyond the usual term of 30 days."""

PIECES_MAX: Final = 5
"""Pieces. Small companies buy small."""

SINGLE_PIECE: Final = 0.5
"""Of things bought now and then."""

_BESIDES: Final = {"fr": "Frais de port", "en": "Carriage", "de": "Versandkosten"}
_PRICE_STEPS: Final = (1, 10, 50, 100, 100)
"""Minor units. Most prices people set are round."""


def draw_bills(seed: int, today: date, count: int, chance: random.Random) -> list[BookedBill]:
    """`count` bills before `today`, oldest first, each supplier's numbers rising with its dates."""
    regular = [sends_of(row, seed, chance, pieces_max=1) for row in REGULAR]
    others = [*OCCASIONAL, *local_rows(max(8, count // 8), chance)]
    occasional = [sends_of(row, seed, chance, pieces_max=PIECES_MAX) for row in others]
    monthly = min(int(count * REGULAR_SHARE), MONTHS_BACK * len(regular))
    drawn = [
        (_month_before(today, 1 + place // len(regular)), regular[place % len(regular)]) for place in range(monthly)
    ]
    oldest_days_ago = MONTHS_BACK * 30
    for _ in range(count - monthly):
        day = today - timedelta(days=chance.randint(NEWEST_DAYS_AGO, oldest_days_ago))
        drawn.append((day, chance.choice(occasional)))
    drawn.sort(key=lambda dated: (dated[0], dated[1].supplier.name))
    running: Counter[str] = Counter()
    bills = []
    for place, (day, sends) in enumerate(drawn):
        running[sends.supplier.contact_id] += 1
        bill_id = str(derived_id("made-up company", seed, "bill", place))
        nth = running[sends.supplier.contact_id]
        bills.append(_bill(bill_id, sends, day, nth, today=today, chance=chance))
    return bills


def touched_after(issue_date: date, today: date, chance: random.Random) -> datetime:
    """When a bill was booked or last changed: some days after it was issued, and always before `today`."""
    day = min(issue_date + timedelta(days=chance.randint(1, 5)), today - timedelta(days=1))
    return datetime.combine(day, time(), UTC) + timedelta(seconds=chance.randrange(24 * 60 * 60))


def _bill(bill_id: str, sends: Sends, day: date, nth: int, *, today: date, chance: random.Random) -> BookedBill:
    first_number = 40 + sum(map(ord, sends.supplier.name)) % 900
    number = sends.numbering.format(year=day.year, month=day.month, n=first_number + 3 * nth)
    status: Status = "PAID" if day + PAID_AFTER < today and chance.random() < PAID_SHARE else "AUTHORISED"
    attached: Attached = "nothing" if chance.random() < WITHOUT_PDF else "paper"
    return BookedBill(
        bill_id=bill_id,
        supplier=sends.supplier,
        number=number,
        issue_date=day,
        due_date=day + timedelta(days=sends.due_days),
        lines=_lines(sends, day, chance),
        touched_at=touched_after(day, today, chance),
        status=status,
        attached=attached,
    )


def _lines(sends: Sends, day: date, chance: random.Random) -> tuple[BookedLine, ...]:
    supplier = sends.supplier
    quantity = 1 if chance.random() < SINGLE_PIECE else chance.randint(1, sends.pieces_max)
    minor = chance.randint(sends.least_minor, sends.most_minor) // quantity
    if sends.pieces_max > 1:
        minor -= minor % chance.choice(_PRICE_STEPS)
    described = sends.describes.format(year=day.year, month=day.month)
    tax = supplier.tax_per_mille
    lines = [BookedLine(described, quantity, Money(minor=minor, currency=supplier.currency), tax)]
    if quantity > 1:
        carriage = Money(minor=chance.randrange(590, 4_900), currency=supplier.currency)
        lines.append(BookedLine(_BESIDES[supplier.language], 1, carriage, tax))
    return tuple(lines)


def _month_before(today: date, months: int) -> date:
    """The first of the month that many months before today's."""
    total = today.year * 12 + today.month - 1 - months
    return date(total // 12, total % 12 + 1, 1)
