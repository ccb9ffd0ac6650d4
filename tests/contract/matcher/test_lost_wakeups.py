"""What a bill waits for arrives while the bill is being decided: only a real database can show it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from libs.contracts.identity import derived_id
from tests.support.matching import Workspace, a_bill, an_invoice, open_workspace
from tests.support.postgres import PostgresFixture


async def due_again(postgres: PostgresFixture) -> Workspace:
    """A bill that waits for a person, and was made due again."""
    workspace = await open_workspace(postgres)
    await workspace.learn(a_bill(has_document=False))
    await workspace.finish_windows()
    await workspace.decide()
    async with workspace.database.transaction(workspace.id) as tx:
        await workspace.stores.records.open_bills(tx, {"bill-1": derived_id("test", "opened")})
    return workspace


async def test_a_supplier_invoice_that_arrives_while_its_bill_is_decided_opens_the_bill_again(
    postgres: PostgresFixture,
) -> None:
    workspace = await due_again(postgres)
    async with workspace.database.transaction(workspace.id) as deciding:
        (row,) = await workspace.stores.records.hold_due_bills(deciding, 10)
        # The decider has read what is around the bill; now comes what Qonto has of it.
        arrival = asyncio.create_task(workspace.learn(an_invoice("its-own")))
        await asyncio.wait({arrival}, timeout=0.3)
        await workspace.stores.records.put_bills(deciding, [replace(row, is_due=False)])
    await arrival
    await workspace.decide()
    assert (await workspace.decision()).chosen == ("its-own",)


async def test_a_bill_that_is_opened_while_it_is_decided_is_decided_again(postgres: PostgresFixture) -> None:
    workspace = await due_again(postgres)
    records = workspace.stores.records

    async def opened() -> None:
        async with workspace.database.transaction(workspace.id) as tx:
            await records.open_bills(tx, {"bill-1": derived_id("test", "opened again")})

    async with workspace.database.transaction(workspace.id) as deciding:
        (row,) = await records.hold_due_bills(deciding, 10)
        opening = asyncio.create_task(opened())
        await asyncio.wait({opening}, timeout=0.3)
        await records.put_bills(deciding, [replace(row, is_due=False)])
    await opening
    async with workspace.database.transaction(workspace.id) as tx:
        (due,) = await records.hold_due_bills(tx, 10)
    assert due.cause == derived_id("test", "opened again")
