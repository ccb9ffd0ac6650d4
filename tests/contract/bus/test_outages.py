"""A consumer through an outage: it says what holds it up, and stops saying so when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from libs.contracts.errors import Transient
from libs.database.memory import MemoryDatabase
from libs.eventlog.memory import MemoryLogReader
from tests.contract.bus.echoes import Echo
from tests.contract.bus.worlds import World
from tests.support.memory import MemoryFixture
from tests.support.until import until


@dataclass
class Flickering(MemoryLogReader):
    """A reader whose server goes away once, and answers again when `is_back`."""

    database: MemoryDatabase
    waits: int = 0
    is_back: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        super().__init__(self.database)

    async def wait(self, since: Mapping[str, int], timeout_seconds: float) -> bool:
        """As any reader, but for the first two times."""
        self.waits += 1
        if self.waits == 1:
            raise Transient("Postgres could not do it this time.")
        await self.is_back.wait()
        return await super().wait(since, timeout_seconds)


async def test_a_sentence_about_an_outage_goes_when_the_outage_is_over(memory: MemoryFixture) -> None:
    database = await memory.database("audit")
    reader = Flickering(database)
    world = World(memory.log("console"), database, memory.log("audit"), database, reader, memory.workspace)
    consumer, stop = world.consumer(Echo()), asyncio.Event()

    async def sentence() -> str | None:
        return consumer.last_sentence

    async def recovered() -> bool:
        return consumer.last_sentence is None

    async with asyncio.TaskGroup() as running:
        running.create_task(consumer.run(stop))
        assert await until(sentence) == "Postgres could not do it this time."
        reader.is_back.set()
        await until(recovered)  # although no event came
        stop.set()
