"""What only Postgres can show: races, and what a reader of the disk sees."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from libs.database.port import Database
from services.pusher.adapters.postgres import PostgresStore
from services.pusher.domain.bill import Bill
from services.pusher.domain.posting import State
from tests.support.postgres import PostgresFixture
from tests.unit.pusher.stories import BILL, EXPECTED, NOW, decided, fetched, posting


async def test_two_pushers_never_take_the_same_posting(postgres: PostgresFixture) -> None:
    database, store = await postgres.database("pusher"), PostgresStore(postgres.sealer)
    async with database.transaction(postgres.workspace) as tx:
        await store.add(tx, [replace(posting(), due_at=NOW, record=f"xero/bill/{number}") for number in range(6)])
    both_took = asyncio.Barrier(2)

    async def take(database: Database) -> set[str]:
        async with database.transaction(postgres.workspace) as tx:
            taken = await store.take(tx, {State.INTENDED}, NOW, 4)
            await both_took.wait()
            return {each.record for each in taken}

    first, second = await asyncio.gather(take(database), take(database))
    assert not first & second
    assert len(first | second) == 6


async def test_two_halves_that_arrive_at_the_same_time_in_two_processes_meet(postgres: PostgresFixture) -> None:
    database, store = await postgres.database("pusher"), PostgresStore(postgres.sealer)
    first_holds = asyncio.Event()

    async def decision() -> None:
        async with database.transaction(postgres.workspace) as tx:
            (bill,) = await store.hold_bills(tx, [BILL], make=[BILL])
            first_holds.set()
            await store.put_bills(tx, [bill.deciding(decided())])

    async def document() -> Bill:
        await first_holds.wait()
        async with database.transaction(postgres.workspace) as tx:
            (bill,) = await store.hold_bills(tx, [BILL], make=[BILL])
            return bill.documented(fetched())

    _, bill = await asyncio.gather(decision(), document())
    assert bill.complete


async def test_nothing_a_customer_would_recognise_lies_readable_in_the_tables(postgres: PostgresFixture) -> None:
    database, store = await postgres.database("pusher"), PostgresStore(postgres.sealer)
    async with database.transaction(postgres.workspace) as tx:
        await store.hold_bills(tx, [BILL], make=[BILL])
        await store.put_bills(tx, [Bill(BILL).deciding(decided()).documented(fetched())])
        told = replace(posting(), file_name="INV-2026-100-x.pdf", sentence="Lefèvre was refused.")
        await store.add(tx, [told])
    admin = await postgres.admin()
    rows = [*await admin.fetch("TABLE pusher.bill"), *await admin.fetch("TABLE pusher.posting")]
    at_rest = repr([tuple(row.values()) for row in rows])
    for word in (EXPECTED.number, "Lef", "2026-10-12", "128400", "bill.pdf"):
        assert str(word) not in at_rest
