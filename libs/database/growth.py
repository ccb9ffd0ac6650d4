"""A count of commits that many can wait on, none of them losing what another has seen."""

from __future__ import annotations

import asyncio


class Growth:
    """Rises with every commit that readers should know of."""

    def __init__(self) -> None:
        self.count = 0
        self._next = asyncio.Event()

    def grew(self) -> None:
        """Count one more, and wake everybody who waits."""
        self.count += 1
        self._next.set()
        self._next = asyncio.Event()

    async def beyond(self, since: int, timeout_seconds: float) -> None:
        """Return when the count is above `since`, or after the time-out."""
        if self.count > since:
            return
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._next.wait()
        except TimeoutError:
            return
