"""Decisions of the first backlog do not depend on the order of arrival, nor on how batches fall."""

from __future__ import annotations

import asyncio
import random
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts.entities import Bill, QontoInvoice
from libs.contracts.events import MatchDecided
from tests.support.matching import a_bill, an_invoice, open_workspace
from tests.support.memory import MemoryFixture

_SUPPLIERS = ("Brémond SARL", "Brémond Fils", "Pixel Foundry LLC")
_NUMBERS = ("F-2026-0117", "F-2026-0118", "2026117", None)
_DAYS = (date(2026, 1, 17), date(2026, 1, 18), date(2026, 2, 17))
_AMOUNTS = (128_400, 128_401, 50_000)

_said = st.tuples(
    st.sampled_from(_SUPPLIERS), st.sampled_from(_NUMBERS), st.sampled_from(_DAYS), st.sampled_from(_AMOUNTS)
)


async def decided(
    bills: list[Bill], invoices: list[QontoInvoice], *, seed: int, batch_bills: int
) -> dict[str, MatchDecided]:
    """Every bill's decision, with records learnt one by one in an order of their own."""
    workspace = await open_workspace(MemoryFixture(), batch_bills=batch_bills)
    records: list[Bill | QontoInvoice] = [*bills, *invoices]
    random.Random(seed).shuffle(records)  # noqa: S311 the order of a test, not a secret
    for record in records:
        await workspace.learn(record)
    await workspace.finish_windows()
    await workspace.decide()
    return {bill.bill_id: await workspace.decision(bill.bill_id) for bill in bills}


@settings(max_examples=60)
@given(st.lists(_said, min_size=1, max_size=6), st.lists(_said, max_size=5), st.integers(0, 999), st.integers(1, 4))
def test_any_order_and_any_batches_give_the_same_decisions(
    bills_said: list[tuple[str, str | None, date, int]],
    invoices_said: list[tuple[str, str | None, date, int]],
    seed: int,
    batch_bills: int,
) -> None:
    bills = [
        a_bill(f"bill-{place}", supplier=supplier, number=number, on=day, minor=minor)
        for place, (supplier, number, day, minor) in enumerate(bills_said)
    ]
    invoices = [
        an_invoice(f"invoice-{place}", supplier=supplier, number=number, on=day, minor=minor)
        for place, (supplier, number, day, minor) in enumerate(invoices_said)
    ]
    at_once = asyncio.run(decided(bills, invoices, seed=0, batch_bills=500))
    assert asyncio.run(decided(bills, invoices, seed=seed, batch_bills=batch_bills)) == at_once
    links = [decision.chosen[0] for decision in at_once.values() if decision.verdict == "link"]
    assert len(links) == len(set(links))
