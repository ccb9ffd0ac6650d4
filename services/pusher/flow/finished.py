"""Work whose outcome must be put on record, whatever becomes of the task that did it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


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
