"""Killing services while they work."""

from __future__ import annotations

from collections.abc import Sequence

from tests.e2e.apart import END_SECONDS, Apart
from tests.support.until import until


async def killed_in_turn(apart: Apart, names: Sequence[str]) -> None:
    """Kill services one after the other with the signal that nothing can catch, and start each again at once.

    Each is killed when something has happened since the last kill: nothing may happen any more only when all is done,
    and then there were too few bills for so many kills, which fails.
    """
    for name in names:
        before = await apart.events()

        async def moved(before: int = before) -> bool:
            return await apart.events() > before

        await until(moved, deadline_seconds=END_SECONDS)
        apart.kill(name)
        apart.start(name)
