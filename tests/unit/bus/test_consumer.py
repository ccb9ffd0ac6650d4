"""A consumer's patience: what is waited out, what ends it, and what it says meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from libs.bus.dealing import LONGEST_PAUSE_SECONDS, TRANSIENT_TRIES
from libs.bus.embedded import Consumer
from libs.bus.parking import PARKED_AN_HOUR
from libs.bus.port import Subscription
from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.errors import Malformed, Stale, Transient
from libs.contracts.events import RecordPulled
from libs.database.port import Transaction
from libs.eventlog.port import Delivery
from libs.runtime.clock import ManualClock
from tests.support.memory import MemoryFixture
from tests.support.until import until

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Handler:
    """Fails as often as it is told to, then succeeds."""

    def __init__(self, *failures: Exception, always: Exception | None = None) -> None:
        self.failures = list(failures)
        self.always = always
        self.dealt_with = 0

    async def handle(self, _tx: Transaction, batch: Sequence[Delivery]) -> list[Envelope]:
        if self.always is not None:
            raise self.always
        if self.failures:
            raise self.failures.pop(0)
        self.dealt_with += len(batch)
        return []


async def _publish(memory: MemoryFixture, events: int) -> None:
    database = await memory.database("ingest")
    async with database.transaction(memory.workspace) as tx:
        await memory.log("ingest").append(tx, [_pulled(memory, bill) for bill in range(events)])


def _pulled(memory: MemoryFixture, bill: int) -> Envelope:
    return enveloped(
        RecordPulled(provider="xero", kind="bill", content_sha256="0" * 64, version=1),
        workspace=memory.workspace,
        record=f"xero/bill/{bill}",
        cause=uuid4(),
        occurred_at=START,
    )


async def _consumer(memory: MemoryFixture, handler: Handler, clock: ManualClock) -> Consumer:
    return Consumer(
        Subscription("matcher.learn", frozenset({"xero.raw.v1"}), handler.handle),
        database=await memory.database("matcher"),
        log=memory.log("matcher"),
        reader=await memory.reader(),
        clock=clock,
    )


async def test_it_ends_after_failing_too_often_in_a_row_with_pauses_that_grow(memory: MemoryFixture) -> None:
    await _publish(memory, 1)
    clock = ManualClock(START)
    consumer = await _consumer(memory, Handler(always=Transient("It is away.")), clock)
    with pytest.raises(Transient, match="25 times in a row"):
        await consumer.run(asyncio.Event())
    grown = [min(0.1 * 2**n, LONGEST_PAUSE_SECONDS) for n in range(TRANSIENT_TRIES - 1)]
    assert (clock.now() - START).total_seconds() == pytest.approx(sum(grown))
    assert timedelta(minutes=5) < clock.now() - START < timedelta(minutes=10)


async def test_it_says_why_it_waits_and_forgets_it_when_it_gets_through(memory: MemoryFixture) -> None:
    await _publish(memory, 1)
    handler = Handler(Transient("It is away."), Transient("It is still away."))
    consumer = await _consumer(memory, handler, ManualClock(START))
    stop = asyncio.Event()

    async def got_through() -> bool:
        return handler.dealt_with == 1 and consumer.last_sentence is None

    async with asyncio.TaskGroup() as group:
        group.create_task(consumer.run(stop))
        await until(got_through)
        stop.set()
    assert consumer.parked == 0


async def test_a_failed_attempt_at_a_single_event_is_no_reason_to_park_it(memory: MemoryFixture) -> None:
    await _publish(memory, 1)
    handler = Handler(*[ZeroDivisionError() for _ in range(5)])
    consumer = await _consumer(memory, handler, ManualClock(START))
    assert await consumer.step() == 1
    assert (handler.dealt_with, consumer.parked) == (1, 0)


async def test_it_stops_rather_than_park_everything(memory: MemoryFixture) -> None:
    await _publish(memory, PARKED_AN_HOUR + 1)
    consumer = await _consumer(memory, Handler(always=ZeroDivisionError()), ManualClock(START))
    with pytest.raises(Malformed) as refused:
        await consumer.run(asyncio.Event())
    assert refused.value.code == "too_many_parked"
    assert consumer.parked == PARKED_AN_HOUR


async def test_what_an_error_of_others_says_is_not_repeated(memory: MemoryFixture) -> None:
    await _publish(memory, 1)
    consumer = await _consumer(memory, Handler(always=ValueError("Papeterie Lefèvre")), ManualClock(START))
    await consumer.step()
    assert consumer.parked == 1
    assert consumer.last_sentence == "A ValueError in our own code."


async def test_an_event_whose_race_is_lost_every_time_is_parked_and_ends_nothing(memory: MemoryFixture) -> None:
    await _publish(memory, 1)
    consumer = await _consumer(memory, Handler(always=Stale("Read again.")), ManualClock(START))
    stop = asyncio.Event()

    async def parked() -> int:
        return consumer.parked

    async with asyncio.TaskGroup() as group:
        group.create_task(consumer.run(stop))
        assert await until(parked) == 1
        stop.set()


async def test_what_cannot_get_better_is_parked_at_once(memory: MemoryFixture) -> None:
    await _publish(memory, 3)
    clock = ManualClock(START)
    consumer = await _consumer(memory, Handler(always=Malformed("No event of ours.")), clock)
    await consumer.step()
    assert (consumer.parked, clock.now()) == (3, START)
