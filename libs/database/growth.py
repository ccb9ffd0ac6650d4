"""Counts of what has grown, that many can wait on, none of them losing what another has seen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping


class Growth:
    """A count for each name, which rises with every commit that readers of that name should know of."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._of_all = 0
        self._next = asyncio.Event()

    def of(self, name: str) -> int:
        """The count of a name."""
        return self._of_all + self._counts.get(name, 0)

    def grew(self, name: str | None = None) -> None:
        """Count one more for a name, or for all of them, and wake everybody who waits."""
        if name is None:
            self._of_all += 1
        else:
            self._counts[name] = self._counts.get(name, 0) + 1
        self._next.set()
        self._next = asyncio.Event()

    async def beyond(self, since: Mapping[str, int], timeout_seconds: float) -> bool:
        """Return True when one of these names has another count than given; False after the time-out."""
        try:
            async with asyncio.timeout(timeout_seconds):
                while all(self.of(name) == count for name, count in since.items()):
                    await self._next.wait()
        except TimeoutError:
            return False
        return True
