"""A message is acknowledged when what it changed is saved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from libs.contracts.errors import Transient
from services.insights.adapters.faust_keeping import UNSAVED_MAX, Acknowledging


@dataclass
class Told:
    """Notes which messages were acknowledged."""

    acknowledged: list[int] = field(default_factory=list)

    def event(self, offset: int) -> Any:  # noqa: ANN401 what of Faust's event is used here
        return _Event(offset, self.acknowledged)


@dataclass
class _Event:
    offset: int
    acknowledged: list[int]

    def ack(self) -> None:
        self.acknowledged.append(self.offset)


def changes(count: int) -> list[Any]:
    return [asyncio.get_running_loop().create_future() for _ in range(count)]


async def test_a_message_is_acknowledged_when_all_that_it_changed_is_saved_and_never_before_an_earlier_one() -> None:
    acknowledging, told = Acknowledging(), Told()
    first, second = changes(2), changes(1)
    await acknowledging.add(told.event(1), first)
    await acknowledging.add(told.event(2), second)
    await acknowledging.add(told.event(3), [])
    for saved in (second[0], first[0]):
        saved.set_result(None)
        await asyncio.sleep(0)
        assert told.acknowledged == []
    first[1].set_result(None)
    await asyncio.sleep(0)
    assert told.acknowledged == [1, 2, 3]
    acknowledging.check()


@pytest.mark.parametrize("lose", [lambda change: change.set_exception(ValueError()), asyncio.Future.cancel])
async def test_nothing_is_acknowledged_from_a_lost_change_on_and_no_message_is_next(lose: Callable[..., None]) -> None:
    acknowledging, told = Acknowledging(), Told()
    lost, later = changes(1), changes(1)
    await acknowledging.add(told.event(1), [])
    await acknowledging.add(told.event(2), lost)
    await acknowledging.add(told.event(3), later)
    lose(lost[0])
    later[0].set_result(None)
    await asyncio.sleep(0)
    waiting = asyncio.create_task(acknowledging.add(told.event(4), []))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert told.acknowledged == [1]
    with pytest.raises(Transient, match="did not keep"):
        acknowledging.check()
    waiting.cancel()


async def test_the_next_message_waits_where_too_many_are_not_saved() -> None:
    acknowledging, told = Acknowledging(), Told()
    unsaved = changes(UNSAVED_MAX)
    for offset, change in enumerate(unsaved[:-1]):
        await acknowledging.add(told.event(offset), [change])
    waiting = asyncio.create_task(acknowledging.add(told.event(UNSAVED_MAX - 1), unsaved[-1:]))
    await asyncio.sleep(0)
    assert not waiting.done()
    unsaved[0].set_result(None)
    await waiting
    assert told.acknowledged == [0]


async def test_where_too_many_are_not_saved_and_the_first_is_lost_no_message_is_next() -> None:
    acknowledging, told = Acknowledging(), Told()
    unsaved = changes(UNSAVED_MAX)
    for offset, change in enumerate(unsaved[:-1]):
        await acknowledging.add(told.event(offset), [change])
    unsaved[0].set_exception(ValueError())
    await asyncio.sleep(0)
    waiting = asyncio.create_task(acknowledging.add(told.event(UNSAVED_MAX - 1), unsaved[-1:]))
    for change in unsaved[1:]:
        change.set_result(None)
        await asyncio.sleep(0)
    assert not waiting.done()
    assert told.acknowledged == []
    waiting.cancel()
