"""The Kafka transport's consumer.

A turn:

1. When partitions were given to it: read from Postgres how far the group is, and seek there; paused until then.
2. Fetch; drop what the group has dealt with; notice what is missing (`libs/bus/kafka/receiving.py`).
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

from libs.bus.dealing import FIRST_PAUSE_SECONDS, Dealer
from libs.bus.kafka.intake import Place
from libs.bus.kafka.member import Member
from libs.bus.kafka.pulse import Pulse
from libs.bus.kafka.receiving import Receiving
from libs.bus.kafka.whereabouts import Whereabouts
from libs.bus.port import Subscription
from libs.contracts.envelope import Envelope
from libs.contracts.errors import Stale, Transient
from libs.database.port import Database, Transaction
from libs.eventlog.port import Delivery, EventLog, LogReader, RawDelivery
from libs.runtime.clock import Clock, is_within

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
        self.lag = 0
        self._clock = clock
        self._finish_seconds = finish_seconds
        remembering = replace(subscription, handler=self._handle_and_remember)
        self._dealer = Dealer(remembering, database=database, log=log, opener=reader, clock=clock)
        topics = [prefix + topic for topic in subscription.topics]
        self._member = Member(
            prefix + subscription.group, topics, bootstrap=bootstrap, give_back=self._finish_and_forget
        )
        whereabouts = Whereabouts(subscription, database=database, reader=reader)
        self._receiving = Receiving(self._member, whereabouts, prefix=prefix, clock=clock)
        self._dealing: asyncio.Task[int] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._pulse = Pulse(clock)
        self._looked_at = clock.now()

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
    def foreign(self) -> int:
        """Messages it passed over since they are no events of ours."""
        return self._receiving.foreign

    @property
    def partitions(self) -> frozenset[Place] | None:
        """The partitions that are its own now; None before the group has given it any."""
        return self._member.given

    @property
    def next_offsets(self) -> Mapping[Place, int]:
        """The offset of each of its partitions before which everything is dealt with; empty before it found them."""
        return self._receiving.next_offsets

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
        came = await self._receiving.receive()
        taken = self._receiving.batch(self.subscription.batch_events)
        if came or taken or not self.lag:
            self._pulse.got_somewhere()
        if taken and await self._deal(taken) < len(taken):
            self._receiving.is_placed = False  # a rival was at it: only the stored positions know how far the group is
            await self._clock.sleep(FIRST_PAUSE_SECONDS)
        else:
            self._receiving.done(taken)
        if not is_within(timedelta(seconds=LOOK_SECONDS), since=self._looked_at, now=self._clock.now()):
            self._looked_at = self._clock.now()
            await _dropped(self._looking)
            self._looking = asyncio.create_task(self._look_around())

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
        self._receiving.forget()
        self.lag = 0

    async def _handle_and_remember(self, tx: Transaction, batch: Sequence[Delivery]) -> Sequence[Envelope]:
        """The handler, and beside its rows the offsets before which everything was dealt with before this batch."""
        events = await self.subscription.handler(tx, batch)
        await self._receiving.remember(tx)
        return events

    async def _look_around(self) -> None:
        """See how much is left, and hint to Kafka, beside the turns: the answers may take half a second."""
        generation = self._member.generation
        try:
            ends = await self._member.ends()
        except Transient:
            self._pulse.got_somewhere()  # it is Kafka that hangs, or nothing is ours
            return
        if self._receiving.is_placed and generation == self._member.generation:
            self.lag = sum(max(0, ends[place] - at) for place, at in self.next_offsets.items())
            await self._member.hint(self.next_offsets)


async def _dropped(task: asyncio.Task[Any] | None) -> None:
    """Cancel a task, and wait until it is over."""
    if task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task])
