"""A member that says nothing any more in the middle of a batch: suspended, hanging, or on a machine that went dark."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from libs.database.postgres import PostgresDatabase, connection_of, open_pool
from libs.database.roles import role_of
from tests.contract.bus.echoes import Echo, Gated
from tests.contract.bus.worlds import World, pulled, running
from tests.support.postgres import PostgresFixture
from tests.support.until import until

SILENT_SECONDS = 0.5
"""Until it is missed, instead of a minute."""


async def test_what_a_silent_member_holds_is_dealt_with_by_another_and_once(
    postgres_world: World, postgres: PostgresFixture
) -> None:
    world = postgres_world
    pool = await open_pool(postgres.dsn, role=role_of("audit"), silent_seconds=SILENT_SECONDS)
    suspended = replace(world, target_database=PostgresDatabase(pool))
    await world.publish(*[pulled(world.workspace, bill) for bill in range(20)])
    gated = Gated()

    async def all_written() -> bool:
        return len(await world.written()) == 20

    async with running(suspended.consumer(gated)):
        await gated.entered.wait()
        async with running(world.consumer(Echo())):
            await until(all_written)
            gated.may_go.set()

            async def goes_on() -> bool:
                return len(await world.written()) == 21

            await world.publish(pulled(world.workspace, 1, 2))
            await until(goes_on)
    await pool.close()
    assert set(Counter(event.cause for event in await world.written()).values()) == {1}


async def test_every_service_is_missed_after_a_minute(postgres: PostgresFixture) -> None:
    async with (await postgres.database("audit")).transaction(postgres.workspace) as tx:
        assert await connection_of(tx).fetchval("SHOW idle_in_transaction_session_timeout") == "1min"
