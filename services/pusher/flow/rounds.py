"""Going round the workspaces whose Qonto connection works, so that one in trouble holds up no other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog

from libs.contracts.errors import Transient, WellError
from libs.runtime.clock import Clock
from services.pusher.ports import Workspaces

T = TypeVar("T")

AT_ONCE: Final = 4
"""Workspaces at a time. Each may have eight requests out: 32 stay far below what one address may ask of Qonto."""

FIRST_PAUSE_SECONDS: Final = 0.5
"""Seconds a workspace rests after its first failure; doubled up to the longest: 0.5, 1, 2, 4 ... 60."""

LONGEST_PAUSE_SECONDS: Final = 60.0
"""Seconds. When Qonto is back, nobody waits longer than a minute to notice."""


class Rounds:
    """Does one thing for every workspace, again and again. A workspace that failed rests for a while."""

    def __init__(self, name: str, workspaces: Workspaces, clock: Clock) -> None:
        self._name = name
        self._workspaces = workspaces
        self._clock = clock
        self._failures: dict[UUID, int] = {}
        self._rest_until: dict[UUID, datetime] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def go(self, one: Callable[[UUID], Awaitable[int]]) -> int:
        """Do it once for each and return how many things were done."""
        workspaces = await self._workspaces.workspaces()
        known = set(workspaces)
        self._failures = {key: value for key, value in self._failures.items() if key in known}
        self._rest_until = {key: value for key, value in self._rest_until.items() if key in known}
        return sum(await all_of(self._guarded(workspace, one) for workspace in workspaces))

    async def _guarded(self, workspace: UUID, one: Callable[[UUID], Awaitable[int]]) -> int:
        rest_until = self._rest_until.get(workspace)
        if rest_until is not None and self._clock.now() < rest_until:
            return 0
        try:
            async with self._turn:
                if await self._workspaces.connection_state(workspace, "qonto") not in {"active", "refused"}:
                    return 0
                done = await one(workspace)
        except WellError as error:
            self._rest(workspace, error)
            return 0
        self._failures.pop(workspace, None)
        return done

    def _rest(self, workspace: UUID, error: WellError) -> None:
        failures = self._failures[workspace] = self._failures.get(workspace, 0) + 1
        asked = error.retry_after_seconds if isinstance(error, Transient) else None
        seconds = asked or min(FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE_SECONDS)
        self._rest_until[workspace] = self._clock.now() + timedelta(seconds=seconds)
        structlog.get_logger().warning(
            "pusher.rests", job=self._name, workspace=str(workspace), pause_seconds=seconds, why=error.sentence
        )


async def all_of(things: Iterable[Awaitable[T]]) -> list[T]:
    """Wait for every one of them, whatever becomes of the others; then give the results, or raise the first error."""
    results = await asyncio.gather(*things, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]


async def finished(work: Coroutine[Any, Any, T]) -> T:
    """Await work to its end, even when the caller is cancelled meanwhile; then the cancellation goes on.

    The record of what happened must outlive the task that did it. Requests have a limit, so the wait has one too.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # looked at, or it would be shown as one that nobody saw; what it was is on record
        raise
