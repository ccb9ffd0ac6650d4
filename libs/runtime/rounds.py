"""Going round the workspaces that have something due, some of them side by side.

One in trouble holds up no other: a workspace whose turn failed rests, a person can read why, and the round goes on. One
that is slow goes on beside the rounds that follow, which visit the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar
from uuid import UUID

import structlog

from libs.contracts.errors import Transient, WellError
from libs.runtime.clock import Clock

T = TypeVar("T")

AT_ONCE: Final = 4
"""Workspaces at a time. Enough that a slow provider does not stand in line before all others; more would queue for the
six connections of the database. Each may have eight requests out: 32 stay far below what one address may ask."""

SLOW_SECONDS: Final = 5.0
"""Seconds that a round waits for its visits. Most take a tenth of one; one whose provider does not answer takes a
minute and more."""

FIRST_PAUSE_SECONDS: Final = 0.5
"""Seconds a workspace rests after its first failure; doubled up to the longest: 0.5, 1, 2, 4 ... 60."""

LONGEST_PAUSE_SECONDS: Final = 60.0
"""Seconds. When what failed is mended, nobody waits longer than a minute to notice."""

LONGEST_ASKED_SECONDS: Final = 900.0
"""Seconds. A provider may ask for more than a minute; the windows of Xero and Qonto end within a quarter of an hour."""


class Due(Protocol):
    """Tells, by one question for all, in which workspaces there is something to do."""

    async def __call__(self, workspaces: Sequence[UUID], now: datetime) -> Sequence[UUID]:
        """Those of them where something is due; one too many costs a visit, one too few is forgotten.

        Raises:
            Transient: The database could not be reached.
        """
        ...


async def any_of_them(workspaces: Sequence[UUID], now: datetime) -> Sequence[UUID]:
    """Visit all: for stores that have no cheaper way to tell."""
    del now
    return workspaces


class Rounds:
    """Does one thing for every workspace where it is due, again and again.

    Attributes:
        name: For logs and health.
        resting: The sentence of each workspace that failed and has not got through since.
    """

    def __init__(
        self,
        name: str,
        visited: Callable[[], Awaitable[Sequence[UUID]]],
        due: Due,
        clock: Clock,
        *,
        slow_seconds: float = SLOW_SECONDS,
    ) -> None:
        self.resting: dict[UUID, str] = {}
        self.name = name
        self._visited = visited
        self._due = due
        self._clock = clock
        self._failures: dict[UUID, int] = {}
        self._rest_until: dict[UUID, datetime] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._slow_seconds = slow_seconds
        self._under_way: dict[UUID, asyncio.Task[int]] = {}

    async def go(self, one: Callable[[UUID], Awaitable[int]]) -> int:
        """Do it once for each that is not at it still, and return how many things were done since the last round.

        Raises:
            Transient: The database could not be asked who there is to visit.
        """
        done = self._done()
        visited = await self._visited()
        known = set(visited)
        for rests in (self.resting, self._failures, self._rest_until):
            for gone in rests.keys() - known:
                del rests[gone]
        now = self._clock.now()
        free = [each for each in visited if each not in self._under_way and not self._rests(each, now)]
        due = await self._due(free, now) if free else ()
        begun = {workspace: asyncio.ensure_future(self._guarded(workspace, one)) for workspace in due}
        self._under_way |= begun
        if begun:
            try:
                await asyncio.wait(begun.values(), timeout=self._slow_seconds)
            except asyncio.CancelledError:
                await self.drop()
                raise
        return done + self._done()

    async def finish(self) -> None:
        """Wait for the visits that are under way."""
        await all_of(self._under_way.values())

    async def drop(self) -> None:
        """Cancel the visits that are under way, and wait until they have ended."""
        for visit in self._under_way.values():
            visit.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    def _done(self) -> int:
        """How many things were done in the visits that have ended. A mistake of ours that ended one is raised."""
        ended = [workspace for workspace, visit in self._under_way.items() if visit.done()]
        return sum([self._under_way.pop(workspace).result() for workspace in ended])

    async def _guarded(self, workspace: UUID, one: Callable[[UUID], Awaitable[int]]) -> int:
        try:
            async with self._turn:
                done = await one(workspace)
        except WellError as error:
            self._rest(workspace, error)
            return 0
        for rests in (self.resting, self._failures, self._rest_until):
            rests.pop(workspace, None)
        return done

    def _rests(self, workspace: UUID, now: datetime) -> bool:
        """Whether it rests still. A rest that would be longer than any was begun by a clock that has gone back."""
        until = self._rest_until.get(workspace, now)
        return now < until <= now + timedelta(seconds=LONGEST_ASKED_SECONDS)

    def _rest(self, workspace: UUID, error: WellError) -> None:
        failures = self._failures[workspace] = self._failures.get(workspace, 0) + 1
        asked = error.retry_after_seconds if isinstance(error, Transient) else None
        own = min(FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE_SECONDS)
        seconds = min(asked or own, LONGEST_ASKED_SECONDS)
        self._rest_until[workspace] = self._clock.now() + timedelta(seconds=seconds)
        self.resting[workspace] = error.sentence
        structlog.get_logger().warning(
            "workspace.rests", job=self.name, workspace=str(workspace), pause_seconds=seconds, why=error.sentence
        )


async def all_of(things: Iterable[Awaitable[T]]) -> list[T]:
    """Wait for every one of them, whatever becomes of the others; then give the results, or raise the first error."""
    results = await asyncio.gather(*things, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]
