"""What Well does meanwhile changes no first decision: they are a function of what was known, and of no timing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from hypothesis import example, given, settings
from hypothesis import strategies as st

from libs.contracts.entities import Bill, QontoInvoice
from tests.property.matcher.meanwhile import meanwhile
from tests.support.matching import a_bill, an_invoice

_WORKSPACE = UUID(int=4)
_SUPPLIERS = ("Brémond SARL", "Brémond Fils")
_NUMBERS = ("F-2026-0117", "F-2026-0118", "F-2026-0119", "F-2026-01191", None)
_DAYS = (date(2026, 1, 17), date(2026, 1, 18))
_AMOUNTS = (128_400, 50_000)

_Said = tuple[str, str | None, date, int]
_said = st.tuples(
    st.sampled_from(_SUPPLIERS), st.sampled_from(_NUMBERS), st.sampled_from(_DAYS), st.sampled_from(_AMOUNTS)
)

_CONSECUTIVE = [("Brémond SARL", f"F-2026-01{n}", _DAYS[0], 128_400) for n in range(20, 26)]
"""Bills of one supplier, day and amount, told apart by their numbers alone: none is at Qonto, and all look alike."""


def _records(bills: Sequence[_Said], invoices: Sequence[_Said]) -> tuple[list[Bill], list[QontoInvoice]]:
    return (
        [a_bill(f"bill-{n}", supplier=s, number=no, on=on, minor=minor) for n, (s, no, on, minor) in enumerate(bills)],
        [
            an_invoice(f"invoice-{n}", supplier=s, number=no, on=on, minor=minor)
            for n, (s, no, on, minor) in enumerate(invoices)
        ],
    )


async def _first_and_links(
    bills: Sequence[_Said], invoices: Sequence[_Said], seed: int | None, batch_bills: int
) -> tuple[dict[str, bytes], list[str]]:
    records = _records(bills, invoices)
    run = await meanwhile(*records, seed=seed or 0, batch_bills=batch_bills, workspace=_WORKSPACE)
    await (run.run_straight() if seed is None else run.run())
    return await run.first_decisions(), await run.linked()


@settings(max_examples=60)
@given(st.lists(_said, min_size=2, max_size=7), st.lists(_said, max_size=3), st.integers(0, 9999), st.integers(1, 3))
@example(_CONSECUTIVE, [("Brémond SARL", "F-2026-0119", _DAYS[0], 128_400)], 1, 1)
@example(_CONSECUTIVE, [], 2, 1)
def test_first_decisions_are_the_same_to_the_byte_however_events_come_and_whatever_is_posted_meanwhile(
    bills: list[_Said], invoices: list[_Said], seed: int, batch_bills: int
) -> None:
    at_once, _ = asyncio.run(_first_and_links(bills, invoices, None, 500))
    meanwhile_, links = asyncio.run(_first_and_links(bills, invoices, seed, batch_bills))
    assert len(at_once) == len(bills)
    assert meanwhile_ == at_once
    assert len(links) == len(set(links)), "two bills were linked to one supplier invoice"
