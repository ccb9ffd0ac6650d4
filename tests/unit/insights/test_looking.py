"""What a look at Faust finds: whether it goes on, how far it is, and why it has to end."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from faust.types import TP

from libs.bus.kafka.message import Message
from libs.contracts.errors import Rejected, Transient
from libs.runtime.clock import ManualClock
from services.insights.adapters.faust_reading import DEAD_SECONDS, Cluster, FaustReading
from services.insights.ports import Lines

ONE, OTHER = TP("well.raw", 0), TP("well.raw", 1)


@dataclass
class Consumer:
    """What Faust's consumer tells."""

    ends: dict[TP, int]
    _committed_offset: dict[TP, int | None] = field(default_factory=lambda: defaultdict(lambda: None))

    def assignment(self) -> set[TP]:
        return {*self.ends, TP("well.lines-changelog", 0)}

    async def earliest_offsets(self, *partitions: TP) -> dict[TP, int]:
        return dict.fromkeys(partitions, 0)

    async def highwaters(self, *partitions: TP) -> dict[TP, int]:
        return {tp: self.ends[tp] for tp in partitions}


@dataclass
class App:
    """What Faust's application tells."""

    consumer: Consumer
    crashed: bool = False
    crash_reason: BaseException | None = None
    producer: None = None


class Unable:
    """Takes nothing, for one reason or another."""

    def __init__(self, why: BaseException) -> None:
        self._why = why

    async def begin(self, lines: Lines) -> None:
        assert len(lines) == 0

    async def take(self, topic: str, message: Message) -> None:
        assert (topic, message.value) == ("raw", b"v")
        raise self._why


@dataclass
class World:
    """A reading, and what it looks at."""

    reading: FaustReading
    clock: ManualClock
    app: App = field(default_factory=lambda: App(Consumer({ONE: 3, OTHER: 0})))

    async def look(self, *, lines: int = 0, started: bool = True) -> None:
        starting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if started:
            starting.set_result(None)
        await self.reading._look(self.app, lines, starting)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Came:
    """A message as Faust has it."""

    tp: TP = ONE
    topic: str = "well.raw"
    partition: int = 0
    offset: int = 0
    key: bytes = b"k"
    value: bytes = b"v"
    headers: Any = ()


def world(why: BaseException | None = None) -> World:
    clock = ManualClock(datetime(2026, 11, 26, tzinfo=UTC))
    hears = Unable(why or ValueError("nothing is taken here"))
    cluster = Cluster("nowhere:1", "well.", "insights", 2, 1)
    return World(FaustReading(cluster, topics=("raw",), dead_letters="dlq", hears=hears, clock=clock), clock)


async def test_it_tells_what_is_left_in_its_own_topics_and_whether_all_of_them_are_its() -> None:
    looked = world()
    await looked.look()
    assert (looked.reading.standing.lag, looked.reading.reads_all) == (3, True)
    del looked.app.consumer.ends[OTHER]
    await looked.look()
    assert not looked.reading.reads_all


async def test_before_faust_has_started_nothing_is_asked_of_it() -> None:
    looked = world()
    await looked.look(started=False)
    assert (looked.reading.standing.lag, looked.reading.reads_all) == (0, False)


async def test_a_start_that_failed_and_faust_that_crashed_end_it() -> None:
    looked, starting = world(), asyncio.get_running_loop().create_future()
    starting.set_exception(ConnectionError("no broker"))
    with pytest.raises(ConnectionError):
        await looked.reading._look(looked.app, 0, starting)  # type: ignore[arg-type]
    looked.app.crashed = True
    with pytest.raises(Transient, match="Faust gave up"):
        await looked.look()


async def test_what_a_message_failed_with_ends_it() -> None:
    looked = world(Rejected("Nobody expected this.", code="unexpected"))
    assert not await looked.reading._is_taken(looked.app, Came())  # type: ignore[arg-type]
    with pytest.raises(Rejected, match="Nobody expected"):
        await looked.look()


async def test_a_message_that_was_given_up_ends_it_and_is_no_end_of_whoever_looks() -> None:
    looked = world(asyncio.CancelledError())
    assert not await looked.reading._is_taken(looked.app, Came())  # type: ignore[arg-type]
    with pytest.raises(Transient, match="given up"):
        await looked.look()


async def test_two_minutes_in_which_nothing_moves_end_it_and_lines_or_an_empty_topic_are_movement() -> None:
    looked = world()
    for lines in (1, 2):
        looked.clock.advance(DEAD_SECONDS)
        await looked.look(lines=lines)
    looked.clock.advance(DEAD_SECONDS - 1)
    await looked.look(lines=2)
    looked.clock.advance(1)
    with pytest.raises(Transient, match="none was taken for 120 seconds"):
        await looked.look(lines=2)
    looked.app.consumer.ends = {ONE: 0}
    await looked.look(lines=2)
    looked.clock.advance(DEAD_SECONDS)
    assert looked.reading.dead is None  # before the next look, as after a sleep of the machine
    await looked.look(lines=2)
    looked.app.consumer.ends = {ONE: 1}
    await looked.look(lines=2)


async def test_a_message_that_is_tried_again_is_no_standstill() -> None:
    looked = world()
    await looked.look()
    looked.clock.advance(DEAD_SECONDS)
    looked.reading._taking.failures = 1
    await looked.look()
    looked.reading._taking.failures = 0
    with pytest.raises(Transient, match="none was taken"):
        await looked.look()
