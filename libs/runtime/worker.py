"""A job that is done again and again: at once while there is work, after a pause when there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from libs.contracts.errors import Stale, Transient
from libs.runtime.rounds import Rounds

LONGEST_PAUSE_SECONDS: Final = 60.0
"""Seconds. A provider's fixed rate window is a minute, so no pause needs to be longer than one."""

FIRST_PAUSE_SECONDS: Final = 0.5
"""Seconds after the first failure; doubled after each further one: 0.5, 1, 2, 4 ... 60."""

Step = Callable[[], Awaitable[int]]
"""Does what is due and returns how many things it did; 0 means nothing was due."""


@dataclass
class Worker:
    """Runs one step until it is told to stop.

    A step that raises Transient or Stale is repeated after a growing pause, for as long as the process lives: the
    step's own rows say how often each thing was tried and when it is given up. Any other error ends the worker, and
    with it the process: a mistake in our own code is not waited out.

    Attributes:
        name: For logs and health.
        step: The job.
        idle_seconds: The pause when nothing was due.
        rounds: The rounds that the step goes, when it goes some: they tell which workspaces rest.
        failures: Failures in a row; 0 when the last step went well.
        last_sentence: The sentence of the last failure.
    """

    name: str
    step: Step
    idle_seconds: float
    rounds: Rounds | None = None
    failures: int = 0
    last_sentence: str | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, and finish what is under way."""
        try:
            while not stop.is_set():
                pause = await self._once()
                if pause > 0:
                    await _pause(stop, pause)
            if self.rounds is not None:
                await self.rounds.finish()
        finally:
            if self.rounds is not None:
                await self.rounds.drop()

    async def _once(self) -> float:
        try:
            done = await self.step()
        except (Transient, Stale) as error:
            self.failures += 1
            self.last_sentence = error.sentence
            asked = error.retry_after_seconds if isinstance(error, Transient) else None
            pause = min(asked or FIRST_PAUSE_SECONDS * 2 ** min(self.failures - 1, 10), LONGEST_PAUSE_SECONDS)
            structlog.get_logger().warning("worker.waits", worker=self.name, pause_seconds=pause, why=error.sentence)
            return pause
        self.failures = 0
        self.last_sentence = None
        return 0 if done else self.idle_seconds


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
