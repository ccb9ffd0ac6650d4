"""Everything that runs as long as a process does, started together and stopped together, within a bound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, Protocol

import structlog

STOP_SECONDS: Final = 15.0
"""Seconds that batches and calls under way have to be finished once the process is told to stop. A batch takes a tenth
of a second, an upload at Qonto ten seconds at most. Orchestrators kill after 30; listening ends within what is left.
What is not finished then is dropped: a transaction rolls back, and an upload is looked for by whoever comes next."""


class Runs(Protocol):
    """Something that works until it is told to stop."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, and finish what is under way."""
        ...


@asynccontextmanager
async def working(all_of_it: Sequence[Runs], *, stop_seconds: float = STOP_SECONDS) -> AsyncIterator[None]:
    """Run all of it as long as the block lasts.

    Raises:
        ExceptionGroup: One of them ended with an error that no pause helps; the block is cancelled.
    """
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        tasks = {group.create_task(each.run(stop)) for each in all_of_it}
        try:
            yield
        finally:
            stop.set()
            _, late = await asyncio.wait(tasks, timeout=stop_seconds) if tasks else (set(), set())
            for task in late:
                task.cancel()
            if late:
                structlog.get_logger().error("process.dropped", tasks=len(late), after_seconds=stop_seconds)
