"""Waiting for a state, with a deadline, instead of for a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

DEADLINE_SECONDS: Final = 15.0
"""Seconds. Ten times what the slowest awaited state takes on a busy machine."""

_LOOK_SECONDS: Final = 0.01

Seen = TypeVar("Seen")


async def until(look: Callable[[], Awaitable[Seen]], *, deadline_seconds: float = DEADLINE_SECONDS) -> Seen:
    """Look until what is seen is true, and return it.

    Raises:
        AssertionError: The deadline passed; the message shows what was seen last.
    """
    seen = await look()
    try:
        async with asyncio.timeout(deadline_seconds):
            while not seen:
                await asyncio.sleep(_LOOK_SECONDS)
                seen = await look()
    except TimeoutError:
        raise AssertionError(f"after {deadline_seconds} s still {seen!r}") from None
    return seen
