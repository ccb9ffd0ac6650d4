"""A listener whose connection is lost: Postgres restarted, a backend was killed, a proxy timed out."""

from __future__ import annotations

import asyncio

import pytest

from libs.contracts.errors import Transient
from libs.database.postgres import open_database
from tests.contract.bus.worlds import pulled
from tests.support.postgres import PostgresFixture

_KILL_LISTENERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE usename = 'well_relay' AND datname = current_database() AND query LIKE '%LISTEN%'
"""


async def test_a_reader_whose_listening_connection_was_lost_listens_anew(postgres: PostgresFixture) -> None:
    database, log, reader = await postgres.database("console"), postgres.log("console"), await postgres.reader()
    admin = await postgres.admin()
    await reader.wait({"console": reader.growth("console")}, 0.01)
    assert len(await admin.fetch(_KILL_LISTENERS)) == 1
    async with asyncio.timeout(10):
        while not await reader.wait({"console": reader.growth("console")}, 0.05):
            """Until it has noticed, listened anew, and counts what it may have missed."""
    noted = {"console": reader.growth("console")}
    async with database.transaction(postgres.workspace) as tx:
        await log.append(tx, [pulled(postgres.workspace, 1)])
    assert await reader.wait(noted, 10)


async def test_a_reader_whose_listening_connection_was_lost_can_be_closed(postgres: PostgresFixture) -> None:
    reader, admin = await postgres.reader(), await postgres.admin()
    await reader.wait({"console": reader.growth("console")}, 0.01)
    await admin.fetch(_KILL_LISTENERS)
    await reader.close()


@pytest.mark.parametrize(
    "address", ["postgresql://postgres@/well?host=/no/such/folder", "postgresql://no.invalid/well"]
)
async def test_a_server_that_is_not_there_is_worth_another_try(address: str) -> None:
    with pytest.raises(Transient):
        await open_database(address, role="well_console")
