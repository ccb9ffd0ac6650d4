"""The Kafka transport's consumer.

A turn:

1. When partitions were given to it: read from Postgres how far the group is, and seek there; paused until then.
2. Fetch; drop what the group has dealt with; notice what is missing. Then the partition is read from its first message
   on; and what still stands behind a hole is passed, since it comes again behind what is missing when a topic is
   replayed. Only at the end of the partition what did not come is lost, and the group stops with a sentence.
3. Deal with a batch (`libs/bus/dealing.py`): the handler's rows, its events and the positions commit together, in
   Postgres, and with them the offsets to go on from after a start.
4. Now and then tell Kafka how far it is. That is a hint for tools that show lag; nothing is read from it.

Before a partition is given back the batch under way is finished, or dropped when that takes too long. Should another
member already be at the partition, Postgres sees to it that each event is dealt with once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import structlog
from aiokafka.structs import ConsumerRecord

from libs.bus.dealing import FIRST_PAUSE_SECONDS, Dealer
from libs.bus.kafka.intake import Intake, Place
from libs.bus.kafka.member import Member
from libs.bus.kafka.message import Message, row_of
from libs.bus.kafka.pulse import Pulse
from libs.bus.kafka.whereabouts import Whereabouts
from libs.bus.port import Subscription
from libs.contracts.envelope import Envelope
from libs.contracts.errors import Malformed, Stale, Transient
from libs.database.port import Database, Transaction
from libs.eventlog.port import Delivery, EventLog, LogReader, RawDelivery
from libs.runtime.clock import Clock

FETCHED_EVENTS: Final = 2_000
"""Events received and not dealt with, at most: several batches, so that workspaces that alternate still fill theirs."""

WAIT_SECONDS: Final = 0.2
"""Seconds to wait for messages before looking whether to stop."""

LINGER_SECONDS: Final = 0.02
"""Seconds between the first messages of a burst and the batch, so that the burst becomes one."""

FINISH_SECONDS: Final = 20.0
"""Seconds for the batch under way when partitions are to be given back; then it is dropped. Below the 30 s after which
the group goes on without this member."""

LOOK_SECONDS: Final = 5.0
"""Seconds between two looks at how much is left, and two hints to Kafka."""


_STUCK: Final = "It has partitions and events to deal with, and has not moved for minutes."


class KafkaConsumer:
    """One member of a consumer group, from its start to its end.

    Args:
        subscription: What it reads and what it does.
        database: Where the group's service keeps its rows.
        log: The log of that service.
        reader: Opens events, and knows the positions of groups.
        bootstrap: Brokers of the cluster.
        prefix: What our topics and groups begin with there.
        clock: For pauses, and for saying whether it lives.
        finish_seconds: How long the batch under way may take when partitions are to be given back.

    Attributes:
        subscription: What it reads and what it does.
        foreign: Messages it passed over since they are no events of ours.
        lag: Messages of its partitions that are not dealt with, when it last looked; 0 before it was given any.
    """

    def __init__(
        self,
        subscription: Subscription,
        *,
        database: Database,
        log: EventLog,
        reader: LogReader,
        bootstrap: str,
        prefix: str,
        clock: Clock,
        finish_seconds: float = FINISH_SECONDS,
    ) -> None:
        self.subscription = subscription
        self.foreign = 0
        self.lag = 0
        self._prefix = prefix
        self._clock = clock
        self._finish_seconds = finish_seconds
        self._whereabouts = Whereabouts(subscription, database=database, reader=reader)
        remembering = replace(subscription, handler=self._handle_and_remember)
        self._dealer = Dealer(remembering, database=database, log=log, opener=reader, clock=clock)
        topics = [prefix + topic for topic in subscription.topics]
        self._member = Member(
            prefix + subscription.group, topics, bootstrap=bootstrap, give_back=self._finish_and_forget
        )
        self._intake = Intake()
        self._is_placed = False
        self._from_first: frozenset[Place] = frozenset()
        self._dealing: asyncio.Task[int] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._pulse = Pulse(clock)
        self._looked_at = clock.now()
        self._logger = structlog.get_logger().bind(group=subscription.group)

    @property
    def failures(self) -> int:
        """Turns that failed in a row; 0 when the last one went well."""
        return self._dealer.failures

    @property
    def parked(self) -> int:
        """Events it has parked since it started."""
        return self._dealer.parked

    @property
    def last_sentence(self) -> str | None:
        """Why the last failure failed; None when what came after it went well."""
        return self._dealer.last_sentence

    @property
    def partitions(self) -> frozenset[Place] | None:
        """The partitions that are its own now; None before the group has given it any."""
        return self._member.given

    @property
    def next_offsets(self) -> Mapping[Place, int]:
        """The offset of each of its partitions before which everything is dealt with; empty before it found them."""
        return self._intake.next_offsets()

    @property
    def dead(self) -> str | None:
        """Why only a new start helps; None while it lives.

        While Kafka or Postgres is away it is not dead, since a restart would not help.
        """
        return _STUCK if self._pulse.is_dead(has_partitions=bool(self._member.given), lag=self.lag) else None

    async def run(self, stop: asyncio.Event) -> None:
        """Deal with events until `stop` is set; the batch under way is finished first.

        Raises:
            Transient: It failed too often in a row.
            Malformed: `too_many_parked`: the fault is ours, not the events'.
            Rejected: `too_many_replicas`; `events_missing` when Kafka no longer has what the group has not dealt with.
        """
        while not stop.is_set():
            try:
                async with self._member.open():
                    await self._turns(stop)
                    await self._member.hint(self.next_offsets)
            except Transient as error:
                await self._dealer.pause_after(error)
            finally:
                await _dropped(self._looking)
                await self._finish_and_forget()

    async def _turns(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self._turn()
                self._dealer.got_through()
            except (Transient, Stale) as error:
                await self._dealer.pause_after(error)

    async def _turn(self) -> None:
        self._pulse.turned()
        if not self._is_placed and self._member.given:
            await self._find_place()
        came = await self._fetch()
        if self._intake.has_holes and not came and not len(self._intake):
            await self._want_whole()
        taken = self._intake.batch(self.subscription.batch_events)
        if came or taken or not self.lag:
            self._pulse.got_somewhere()
        if taken and await self._deal(taken) < len(taken):
            self._is_placed = False  # a rival was at it: only the stored positions know how far the group is
            await self._clock.sleep(FIRST_PAUSE_SECONDS)
        else:
            self._intake.done(taken)
        if self._clock.now() - self._looked_at > timedelta(seconds=LOOK_SECONDS):
            self._looked_at = self._clock.now()
            await _dropped(self._looking)
            self._looking = asyncio.create_task(self._look_around())

    async def _find_place(self) -> None:
        """Begin where the group is by what Postgres has of it."""
        generation = self._member.generation
        stored, positions = await self._whereabouts.stored(), await self._whereabouts.positions()
        firsts, ends = await self._member.firsts(), await self._member.ends()
        if generation != self._member.generation:
            return  # they were taken away meanwhile
        offsets = self._whereabouts.starts(stored, firsts, ends)
        self._intake.begin(offsets, positions)
        self._from_first = frozenset(place for place, offset in offsets.items() if offset <= firsts[place])
        self._member.go_to(offsets)
        self._is_placed = True

    async def _want_whole(self) -> None:
        """See whether what is missing may still come.

        Raises:
            Transient: Kafka could not tell.
            Rejected: `events_missing`: everything was read, and it came nowhere.
        """
        for place, offset in self._intake.holes_before(await self._member.ends()):
            raise self._whereabouts.missing(place, offset, prefix=self._prefix)

    async def _fetch(self) -> int:
        """Take in what there is; returns how many messages came, or that there was no room for any."""
        room = FETCHED_EVENTS - len(self._intake)
        if room <= 0:
            return len(self._intake)
        came = self._take_in(await self._member.fetch(room, 0 if len(self._intake) else WAIT_SECONDS))
        if 0 < came < room and self._is_placed:
            await self._clock.sleep(LINGER_SECONDS)
            came += self._take_in(await self._member.fetch(room - came, 0))
        return came

    def _take_in(self, messages: Sequence[ConsumerRecord]) -> int:
        """Take in what was fetched, before anything else is awaited: it is not fetched again."""
        for message in messages:
            place = (message.topic, message.partition)
            if not self._intake.holds(place):
                break  # they were taken away meanwhile
            try:
                told = Message(message.key, message.value, message.headers)
                event = row_of(told, message.topic.removeprefix(self._prefix))
            except Malformed:
                self.foreign += 1
                self._logger.warning("bus.foreign_message", topic=place[0], partition=place[1], offset=message.offset)
                self._intake.pass_over(place, message.offset)
                continue
            if not self._intake.take_in(place, message.offset, event):
                if place not in self._from_first:
                    self._whereabouts.rewind(place)
                    self._is_placed = False
                    break
                self._intake.pass_hole(place, message.offset, event)
        return len(messages)

    async def _deal(self, taken: Sequence[RawDelivery]) -> int:
        """Deal with a batch as a task of its own, which `_finish_and_forget` may wait for or drop."""
        dealing = self._dealing = asyncio.create_task(self._dealer.deal(taken))
        try:
            await asyncio.wait([dealing])
        except asyncio.CancelledError:
            await _dropped(dealing)
            raise
        return 0 if dealing.cancelled() else dealing.result()

    async def _finish_and_forget(self) -> None:
        """Finish the batch under way, or drop it, and let go of what was fetched."""
        if self._dealing is not None and not self._dealing.done():
            await asyncio.wait([self._dealing], timeout=self._finish_seconds)
            await _dropped(self._dealing)
        self._intake.clear()
        self._is_placed = False
        self.lag = 0

    async def _handle_and_remember(self, tx: Transaction, batch: Sequence[Delivery]) -> Sequence[Envelope]:
        """The handler, and beside its rows the offsets before which everything was dealt with before this batch."""
        events = await self.subscription.handler(tx, batch)
        await self._whereabouts.store(tx, self.next_offsets)
        return events

    async def _look_around(self) -> None:
        """See how much is left, and hint to Kafka, beside the turns: the answers may take half a second."""
        generation = self._member.generation
        try:
            ends = await self._member.ends()
        except Transient:
            self._pulse.got_somewhere()  # it is Kafka that hangs, or nothing is ours
            return
        if self._is_placed and generation == self._member.generation:
            self.lag = sum(max(0, ends[place] - at) for place, at in self.next_offsets.items())
            await self._member.hint(self.next_offsets)


async def _dropped(task: asyncio.Task[Any] | None) -> None:
    """Cancel a task, and wait until it is over."""
    if task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task])
