"""A company made up from a seed."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from typing import Final

from libs.contracts.identity import derived_id
from libs.contracts.money import Money
from well.demo.company.awkward import CASES, made_awkward
from well.demo.company.booked import BookedBill, BookedLine, Supplier
from well.demo.company.company import Company, assemble
from well.demo.company.ledger import draw_bills
from well.demo.company.suppliers import OWN_ADDRESS, contact_id

BILLS_MIN: Final = 40
"""Bills. Fewer leave no ordinary ones beside the awkward cases."""

IN_QONTO: Final = 0.4
"""Of ordinary bills: suppliers that mail their bills to Qonto's inbox as well."""

ORPHANS: Final = 0.03
ORPHANS_MIN: Final = 2
"""Of bills, and at least so many. Documents somebody dropped into Qonto and nobody booked."""


def make_company(seed: int, today: date, *, bills: int = 120) -> Company:
    """A small French company's purchases over the months before `today`.

    Args:
        seed: The same seed and day give the same company, to the byte.
        today: Nothing in the books is younger.
        bills: How many records of type ACCPAY, awkward ones included; a sales invoice and a credit come on top.

    Raises:
        ValueError: `bills` is below `BILLS_MIN`.
    """
    if bills < BILLS_MIN:
        raise ValueError(f"A company needs at least {BILLS_MIN} bills to hold every awkward case.")
    chance = random.Random(seed)
    orphan_count = max(ORPHANS_MIN, int(bills * ORPHANS))
    drawn = draw_bills(seed, today, bills + orphan_count, chance)
    orphan_places = set(chance.sample(range(len(drawn)), orphan_count))
    orphans = [bill for place, bill in enumerate(drawn) if place in orphan_places]
    books = {bill.bill_id: bill for place, bill in enumerate(drawn) if place not in orphan_places}
    awkward, in_qonto = _with_cases(books, chance)
    ordinary = [bill_id for bill_id in books if bill_id not in awkward.values()]
    in_qonto |= set(chance.sample(ordinary, int(len(ordinary) * IN_QONTO)))
    archived = _archived_supplier(books, chance)
    merged = _merged_supplier(seed, books)
    besides = _not_bills(seed, books)
    awkward |= {"archived_contact": archived, "merged_contact": merged.contact_id}
    awkward |= {"sales_invoice": besides[0].bill_id, "supplier_credit": besides[1].bill_id}
    return assemble(
        [*books.values(), *besides],
        in_qonto=in_qonto,
        orphans=orphans,
        awkward=awkward,
        other_contacts=[merged],
        bill_to=OWN_ADDRESS,
        today=today,
        chance=chance,
    )


def _with_cases(books: dict[str, BookedBill], chance: random.Random) -> tuple[dict[str, str], set[str]]:
    """Change some bills in place into the awkward cases; answers with their names, and which of them Qonto has."""
    numbered = chance.sample(sorted(books), len(CASES) + 1)
    awkward = dict(zip(CASES, numbered, strict=False))
    for name, bill_id in awkward.items():
        books[bill_id] = made_awkward(name, books[bill_id])
    one = books[numbered[-1]]
    others = [
        bill_id
        for bill_id, bill in books.items()
        if bill.supplier.contact_id != one.supplier.contact_id and bill_id not in awkward.values()
    ]
    other = chance.choice(others)
    books[other] = replace(books[other], number=one.number, attached="paper", status="AUTHORISED")
    return awkward | {"same_number_in_qonto": one.bill_id, "same_number_other_supplier": other}, {one.bill_id}


def _archived_supplier(books: dict[str, BookedBill], chance: random.Random) -> str:
    """Archive the contact of one supplier on all its bills."""
    gone = books[chance.choice(sorted(books))].supplier.contact_id
    for bill_id, bill in books.items():
        if bill.supplier.contact_id == gone:
            books[bill_id] = replace(bill, supplier=replace(bill.supplier, is_archived=True))
    return gone


def _merged_supplier(seed: int, books: dict[str, BookedBill]) -> Supplier:
    """A second card of a supplier that has been merged into the first: Xero moves its bills, and archives it."""
    survivor = next(bill.supplier for bill in books.values() if not bill.supplier.is_archived)
    name = f"{survivor.name} (ancien compte)"
    return replace(
        survivor, contact_id=contact_id(seed, name), name=name, is_archived=True, merged_into=survivor.contact_id
    )


def _not_bills(seed: int, books: dict[str, BookedBill]) -> tuple[BookedBill, BookedBill]:
    """A sales invoice and a supplier's credit, which Xero lists beside bills."""
    like = next(bill for bill in reversed(books.values()) if bill.currency == "EUR")
    customer = Supplier(contact_id(seed, "Galerie Montchat"), "Galerie Montchat", (), None, None, "fr", "EUR", 200)
    sold = BookedLine("Vases, série limitée", 6, Money(minor=14_500, currency="EUR"), 200)
    sales_invoice = replace(
        like,
        bill_id=str(derived_id("made-up company", seed, "sales invoice")),
        supplier=customer,
        number="V-0001",
        lines=(sold,),
        kind="ACCREC",
        status="AUTHORISED",
        attached="nothing",
        padding_bytes=0,
    )
    credited = replace(
        sales_invoice,
        bill_id=str(derived_id("made-up company", seed, "credit")),
        supplier=like.supplier,
        number=f"AV-{like.number}",
        lines=like.lines[:1],
        kind="ACCPAYCREDIT",
    )
    return sales_invoice, credited
