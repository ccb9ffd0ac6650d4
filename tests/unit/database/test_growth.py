"""Whoever waits for growth hears of it, however it falls between looking and waiting."""

from __future__ import annotations

import asyncio

from libs.database.growth import Growth

LONG_SECONDS = 15.0


async def test_growth_before_waiting_is_not_missed() -> None:
    growth = Growth()
    since = {"ingest": growth.of("ingest")}
    growth.grew("ingest")
    assert await growth.beyond(since, LONG_SECONDS)


async def test_everybody_who_waits_hears_the_same_growth() -> None:
    growth = Growth()
    waiting = [asyncio.create_task(growth.beyond({"ingest": 0}, LONG_SECONDS)) for _ in range(5)]
    await asyncio.sleep(0)
    growth.grew("ingest")
    assert all(await asyncio.gather(*waiting))


async def test_growth_of_another_name_wakes_nobody() -> None:
    growth = Growth()
    waiting = asyncio.create_task(growth.beyond({"ingest": 0}, 0.05))
    await asyncio.sleep(0)
    growth.grew("matcher")
    assert not await waiting


async def test_growth_of_all_is_growth_of_each() -> None:
    growth = Growth()
    growth.grew()
    assert (growth.of("ingest"), growth.of("matcher")) == (1, 1)
    assert await growth.beyond({"ingest": 0}, LONG_SECONDS)


async def test_nobody_waits_longer_than_the_time_out() -> None:
    assert not await Growth().beyond({"ingest": 0}, 0.01)


async def test_a_reader_that_looks_and_waits_in_turns_sees_every_commit() -> None:
    growth, commits, seen = Growth(), 200, 0

    async def commit() -> None:
        for _ in range(commits):
            growth.grew("ingest")
            await asyncio.sleep(0)

    committing = asyncio.create_task(commit())
    while seen < commits:
        assert await growth.beyond({"ingest": seen}, LONG_SECONDS)
        seen = growth.of("ingest")
    await committing
