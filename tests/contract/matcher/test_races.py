"""Two processes decide at once: what only a real database can show."""

from __future__ import annotations

import asyncio

from services.matcher.ports import Claim
from tests.support.matching import a_bill, an_invoice, open_workspace
from tests.support.postgres import PostgresFixture

BILLS = 40


async def test_two_deciders_decide_every_bill_once_and_link_every_supplier_invoice_once(
    postgres: PostgresFixture,
) -> None:
    first = await open_workspace(postgres, batch_bills=7)
    second = await open_workspace(postgres, batch_bills=7)
    await first.learn(*(a_bill(f"bill-{n}", number=f"F-2026-{n:04d}", minor=1_000 + n) for n in range(BILLS)))
    await first.learn(*(an_invoice(f"inv-{n}", number=f"F-2026-{n:04d}", minor=1_000 + n) for n in range(BILLS)))
    await first.finish_windows()
    decided = await asyncio.gather(first.decide(), second.decide())
    assert sum(decided) == BILLS
    chosen = [(await first.decision(f"bill-{n}")).chosen for n in range(BILLS)]
    assert chosen == [(f"inv-{n}",) for n in range(BILLS)]


async def test_the_database_gives_a_supplier_invoice_to_one_of_two_bills(postgres: PostgresFixture) -> None:
    workspace = await open_workspace(postgres)
    store = workspace.stores.decisions

    async def claimed(bill_id: str) -> set[str]:
        async with workspace.database.transaction(workspace.id) as tx:
            return await store.claim(tx, [Claim("inv", bill_id, "matched")])

    won = await asyncio.gather(claimed("bill-1"), claimed("bill-2"))
    assert sorted(map(len, won)) == [0, 1]


async def test_nothing_a_provider_said_lies_open_in_the_tables(postgres: PostgresFixture) -> None:
    workspace = await open_workspace(postgres)
    await workspace.learn(a_bill(), an_invoice())
    await workspace.finish_windows()
    await workspace.decide()
    admin = await postgres.admin()
    for table in ("bill", "invoice", "bill_key", "invoice_key", "claim", "decision", "event_log"):
        for row in await admin.fetch(f"SELECT * FROM matcher.{table}"):  # noqa: S608 names of our own tables
            assert not any(said in repr(dict(row)).casefold() for said in ("menuiserie", "20260117", "128400"))
