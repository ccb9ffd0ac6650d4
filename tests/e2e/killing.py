"""Killing services while they work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from tests.e2e.apart import END_SECONDS, Apart
from tests.support.until import until


async def killed_in_turn(apart: Apart, names: Sequence[str], ripe: Callable[[], Awaitable[bool]]) -> int:
    """Kill services one after the other with the signal that nothing can catch, and start each again at once.

    Args:
        apart: The processes.
        names: Which, in turn.
        ripe: Whether it is time for the next kill.

    Returns:
        How many were killed before nothing was left to do.
    """
    for kills, name in enumerate(names):
        await until(ripe, deadline_seconds=END_SECONDS)
        if not await apart.unfinished():
            return kills
        apart.kill(name)
        apart.start(name)
    return len(names)
