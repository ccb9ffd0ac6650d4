"""Work that must come to its end though its caller is cancelled."""

from __future__ import annotations

import asyncio
import gc

from libs.contracts.errors import Transient
from services.pusher.flow.finished import finished


async def test_a_failure_behind_a_cancellation_is_not_shown_as_one_that_nobody_saw() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await go_on.wait()
        raise Transient("Postgres could not do it this time.")

    caller = asyncio.create_task(finished(work()))
    await begun.wait()
    caller.cancel()
    go_on.set()
    await asyncio.wait({caller})
    assert caller.cancelled()
    del caller
    gc.collect()
    assert complaints == []
