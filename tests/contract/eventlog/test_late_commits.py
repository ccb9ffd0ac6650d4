"""A reader never skips a row that commits late. Only Postgres can show it: the twin has no concurrent commits."""

from __future__ import annotations

import asyncio

from libs.contracts.identity import bucket_of, key_of
from tests.contract.bus.worlds import TOPIC, pulled
from tests.support.postgres import PostgresFixture


async def test_an_append_waits_for_the_earlier_one_of_its_bucket(postgres: PostgresFixture) -> None:
    database, log, reader = await postgres.database("console"), postgres.log("console"), await postgres.reader()
    early, late = pulled(postgres.workspace, 1), pulled(postgres.workspace, 1, version=2)

    async def append_late() -> None:
        async with database.transaction(postgres.workspace) as tx:
            await log.append(tx, [late])

    async with database.transaction(postgres.workspace) as tx:
        await log.append(tx, [early])
        waiting = asyncio.create_task(append_late())
        done, _ = await asyncio.wait({waiting}, timeout=0.2)
        assert not done
        assert (await reader.read("console", {}, topic=TOPIC, limit=10)).deliveries == ()
    await waiting
    piece = await reader.read("console", {}, topic=TOPIC, limit=10)
    assert [raw.event_id for raw in piece.deliveries] == [early.id, late.id]


async def test_a_slow_bucket_does_not_hide_what_commits_behind_it(postgres: PostgresFixture) -> None:
    database, log, reader = await postgres.database("console"), postgres.log("console"), await postgres.reader()
    slow = pulled(postgres.workspace, 1)
    other = next(
        event
        for event in (pulled(postgres.workspace, bill) for bill in range(2, 100))
        if bucket_of(key_of(event.workspace, event.record)) != slow.bucket
    )
    async with database.transaction(postgres.workspace) as tx:
        await log.append(tx, [slow])
        async with database.transaction(postgres.workspace) as second:
            await log.append(second, [other])
        before = await reader.read("console", {}, topic=TOPIC, limit=10)
        assert [raw.event_id for raw in before.deliveries] == [other.id]
    after = await reader.read("console", before.through, topic=TOPIC, limit=10)
    assert [raw.event_id for raw in after.deliveries] == [slow.id]


async def test_many_appenders_at_once_leave_no_gap(postgres: PostgresFixture) -> None:
    database, log = await postgres.database("console"), postgres.log("console")

    async def append_some(appender: int) -> None:
        for turn in range(10):
            async with database.transaction(postgres.workspace) as tx:
                await log.append(tx, [pulled(postgres.workspace, appender * 1000 + turn * 10 + n) for n in range(5)])

    async with asyncio.TaskGroup() as group:
        for appender in range(5):
            group.create_task(append_some(appender))
    admin = await postgres.admin()
    rows = await admin.fetch(
        "SELECT bucket, array_agg(sequence ORDER BY sequence) AS seen FROM console.event_log GROUP BY 1"
    )
    assert sum(len(row["seen"]) for row in rows) == 250
    assert all(row["seen"] == list(range(1, len(row["seen"]) + 1)) for row in rows)
