"""What a transaction promises when the server, or a value, does not play along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import asyncpg
import pytest

from libs.contracts.envelope import Envelope
from libs.contracts.errors import Malformed, Transient
from libs.database.port import Transaction
from libs.database.postgres import connection_of
from libs.eventlog.port import Delivery
from tests.contract.bus.echoes import Echo
from tests.contract.bus.worlds import World, drain, pulled
from tests.support.postgres import PostgresFixture

_LONG = "".join(sha256(bytes([number])).hexdigest() for number in range(200))
"""12,800 characters that no compression makes short enough for an index."""


async def _end_its_backend(admin: asyncpg.Pool, tx: Transaction) -> None:
    await admin.execute("SELECT pg_terminate_backend($1)", await connection_of(tx).fetchval("SELECT pg_backend_pid()"))


async def test_a_connection_that_ends_under_an_append_leaves_nothing_of_it_and_no_gap(
    postgres: PostgresFixture,
) -> None:
    admin, database, log = await postgres.admin(), await postgres.database("console"), postgres.log("console")
    event = pulled(postgres.workspace, 1)

    async def append_and_be_cut_off() -> None:
        async with database.transaction(postgres.workspace) as tx:
            await log.append(tx, [event])
            await _end_its_backend(admin, tx)

    with pytest.raises(Transient):
        await append_and_be_cut_off()
    async with database.transaction(postgres.workspace) as tx:
        (position,) = await log.append(tx, [event])
    assert position.sequence == 1


async def test_a_disk_without_room_is_named_as_what_to_mend(postgres: PostgresFixture) -> None:
    database = await postgres.database("console")
    with pytest.raises(Transient, match="make room"):
        async with database.transaction(postgres.workspace) as tx:
            await connection_of(tx).execute("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$")


@dataclass
class CutOff(Echo):
    """An echo whose connection ends under its first batch, after everything was written and before it is kept."""

    admin: asyncpg.Pool | None = None

    async def handle(self, tx: Transaction, batch: Sequence[Delivery]) -> list[Envelope]:
        """As any echo."""
        answers = await super().handle(tx, batch)
        if len(self.batches) == 1 and self.admin is not None:
            await _end_its_backend(self.admin, tx)
        return answers


async def test_a_group_whose_connection_ends_under_a_batch_does_it_again_and_once(postgres: PostgresFixture) -> None:
    world = World(
        source=postgres.log("ingest"),
        source_database=await postgres.database("ingest"),
        target=postgres.log("audit"),
        target_database=await postgres.database("audit"),
        reader=await postgres.reader(),
        workspace=postgres.workspace,
    )
    await world.publish(*[pulled(world.workspace, bill) for bill in range(20)])
    echo = CutOff(admin=await postgres.admin())
    consumer = world.consumer(echo, batch_events=5)
    with pytest.raises(Transient):
        await drain(consumer)
    await drain(consumer)
    assert consumer.parked == 0
    assert len(await world.written()) == 20


@pytest.mark.parametrize("odd", ["a\0b", "\ud800", _LONG], ids=["nul", "half-a-pair", "too-long-for-its-index"])
async def test_what_no_column_can_hold_is_malformed(postgres: PostgresFixture, odd: str) -> None:
    database = await postgres.database("pusher")

    async def write() -> None:
        async with database.transaction(postgres.workspace) as tx:
            statement = "INSERT INTO pusher.bill (workspace, record) VALUES ($1, $2)"
            await connection_of(tx).execute(statement, tx.workspace, odd)

    with pytest.raises(Malformed) as refused:
        await write()
    assert refused.value.code == "not_storable"


async def test_a_transaction_of_which_nothing_was_kept_does_not_end_well(postgres: PostgresFixture) -> None:
    database = await postgres.database("pusher")

    async def swallow() -> None:
        async with database.transaction(postgres.workspace) as tx:
            with pytest.raises(asyncpg.DivisionByZeroError):
                await connection_of(tx).execute("SELECT 1 / 0")

    with pytest.raises(RuntimeError, match="nothing was kept"):
        await swallow()
