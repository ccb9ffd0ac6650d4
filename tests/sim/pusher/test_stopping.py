"""A pusher that is told to stop in the middle of a request still puts its outcome on record."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from services.pusher.adapters.memory_qonto import MemoryQonto
from services.pusher.domain.posting import State
from services.pusher.ports import Refused, Upload, Uploaded
from tests.sim.pusher.machines import World
from tests.unit.pusher.stories import BILL


class SlowQonto(MemoryQonto):
    """A Qonto that answers when it is allowed to."""

    def __init__(self, world: World) -> None:
        super().__init__(world.clock)
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def upload(self, workspace: UUID, upload: Upload) -> Uploaded | Refused:
        """Wait, then answer."""
        self.asked.set()
        await self.may_answer.wait()
        return await super().upload(workspace, upload)


async def test_the_outcome_of_a_request_under_way_is_put_on_record_while_stopping() -> None:
    world = World()
    world.qonto = qonto = SlowQonto(world)
    await world.hear(BILL, 1)
    pushing = asyncio.create_task(world.start().go())
    await qonto.asked.wait()
    pushing.cancel()
    qonto.may_answer.set()
    with pytest.raises(asyncio.CancelledError):
        await pushing
    (posting,) = await world.postings()
    assert posting.state is State.SETTLED
