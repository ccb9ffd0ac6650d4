"""Which records meet."""

from __future__ import annotations

from datetime import date

import pytest

from libs.contracts.entities import QontoInvoice
from services.matcher.domain.blocking import keys_of
from services.matcher.domain.side import side_of
from tests.support.matching import a_bill, an_invoice


@pytest.mark.parametrize(
    "invoice",
    [
        an_invoice(number="860", on=date(2026, 3, 3), minor=1),
        an_invoice(number=None, on=date(2026, 3, 3)),
        an_invoice(number=None, minor=1),
        an_invoice(number=None, supplier=None),
    ],
    ids=["short number and supplier", "amount and supplier", "supplier and day", "amount and day"],
)
def test_what_a_reader_leaves_is_enough_to_meet(invoice: QontoInvoice) -> None:
    bill = side_of(a_bill(number="860"))
    assert set(keys_of(bill)) & set(keys_of(side_of(invoice)))


def test_a_short_number_alone_is_no_reason_to_meet() -> None:
    other = an_invoice(number="860", supplier="Pixel Foundry", on=date(2026, 3, 3), minor=1)
    assert not set(keys_of(side_of(a_bill(number="860")))) & set(keys_of(side_of(other)))
