"""Whatever is appended, asked for, lost and killed, in any order: who reads what is there then misses nothing."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import AsyncIterator

import asyncpg
import pytest

from libs.bus.kafka.intake import Intake, Place
from libs.bus.kafka.message import LogRow, partition_of
from libs.bus.kafka.relayed import RelayedLog
from libs.bus.kafka.replay import Replay
from libs.contracts.identity import BUCKETS
from libs.database.postgres import open_pool
from libs.database.roles import RELAY
from libs.eventlog.port import Lane
from tests.contract.bus.worlds import World, pulled
from tests.support.postgres import PostgresFixture

TOPICS = ("xero.raw.v1", "qonto.raw.v1")
PARTITIONS = 3
BILLS = 6
STEPS = 60

Kept = dict[Place, list[LogRow]]


@pytest.fixture
async def carrying(postgres: PostgresFixture) -> AsyncIterator[asyncpg.Pool]:
    """Connections of the role that carries logs."""
    pool = await open_pool(postgres.dsn, role=RELAY)
    yield pool
    await pool.close()


class Chance:
    """A relay at work on partitions that are lists, with whatever may happen to it."""

    def __init__(self, world: World, pool: asyncpg.Pool, seed: int) -> None:
        self.kept: Kept = defaultdict(list)
        self.appended: dict[Lane, list[int]] = defaultdict(list)
        self._world = world
        self._pool = pool
        self._chance = random.Random(seed)  # noqa: S311 the order of a test, not a secret
        self._log = RelayedLog("ingest", pool)

    async def step(self) -> None:
        """One of the things that may happen."""
        happens = (self._append, self._append, self._round, self._round, self._killed, self._ask, self._lose)
        await self._chance.choice(happens)()

    async def end(self) -> None:
        """Ask for everything once more, and relay until there is nothing left."""
        for topic in TOPICS:
            replay = Replay(topic, "ingest", self._pool)
            await replay.ask(await replay.plan(range(BUCKETS)))
        while await self._round():
            pass
        await self._log.release()

    async def _append(self) -> None:
        event = pulled(self._world.workspace, self._chance.randrange(BILLS))
        event = event.model_copy(update={"topic": self._chance.choice(TOPICS)})
        async with self._world.source_database.transaction(event.workspace) as tx:
            [position] = await self._world.source.append(tx, [event])
        self.appended[position.lane].append(position.sequence)

    async def _round(self) -> int:
        rows = await self._sent()
        through = {(row.raw.position.topic, row.raw.position.bucket): row.raw.position.sequence for row in rows}
        if rows:
            await self._log.remember(through)
        return len(rows)

    async def _killed(self) -> None:
        await self._sent()
        await self._log.release()

    async def _sent(self) -> list[LogRow]:
        assert await self._log.hold()
        rows = list(await self._log.read(self._chance.randint(1, 12)))
        for row in rows:
            position = row.raw.position
            self.kept[position.topic, partition_of(position.bucket, PARTITIONS)].append(row)
        return rows

    async def _ask(self) -> None:
        replay = Replay(self._chance.choice(TOPICS), "ingest", self._pool)
        planned = await replay.plan([bucket for bucket in range(BUCKETS) if self._chance.random() < 0.5])
        await replay.ask(planned)

    async def _lose(self) -> None:
        for rows in self.kept.values():
            del rows[: self._chance.randint(0, len(rows))]


def _read_from_the_first(kept: Kept) -> tuple[dict[Lane, list[int]], Intake]:
    intake, seen = Intake(), defaultdict(list)
    intake.begin(dict.fromkeys(kept, 0), {})
    for place, rows in kept.items():
        for offset, row in enumerate(rows):
            if not intake.take_in(place, offset, row):
                intake.pass_hole(place, offset, row)
    for raw in intake.batch(10_000):
        seen[raw.position.lane].append(raw.position.sequence)
    return seen, intake


@pytest.mark.parametrize("seed", range(12))
async def test_who_reads_what_is_there_after_a_replay_sees_every_event_once_and_in_order(
    postgres_world: World, carrying: asyncpg.Pool, seed: int
) -> None:
    world = Chance(postgres_world, carrying, seed)
    for _ in range(STEPS):
        await world.step()
    await world.end()
    seen, intake = _read_from_the_first(world.kept)
    assert seen == world.appended
    assert not intake.has_holes
