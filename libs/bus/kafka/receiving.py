"""What comes to a member: from the place on where its group is, each event once, and nothing behind a hole.

A hole is an event that the group has not dealt with and that Kafka did not bring before the next of its lane. The
partition is then read from its first message on; what still stands behind a hole is passed, since it comes again behind
what is missing when a topic is replayed. Only at the end of the partition what did not come is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import structlog
from aiokafka.structs import ConsumerRecord

from libs.bus.kafka.intake import Intake, Place
from libs.bus.kafka.member import Member
from libs.bus.kafka.message import Message, row_of
from libs.bus.kafka.whereabouts import Whereabouts
from libs.contracts.errors import Malformed
from libs.database.port import Transaction
from libs.eventlog.port import RawDelivery
from libs.runtime.clock import Clock

FETCHED_EVENTS: Final = 2_000
"""Events received and not dealt with, at most: several batches, so that workspaces that alternate still fill theirs."""

WAIT_SECONDS: Final = 0.2
"""Seconds to wait for messages before looking whether to stop."""

LINGER_SECONDS: Final = 0.02
"""Seconds between the first messages of a burst and the batch, so that the burst becomes one."""


class Receiving:
    """The receiving side of a member.

    Args:
        member: Fetches.
        whereabouts: Knows how far the group is.
        prefix: What topics begin with on the cluster.
        clock: For pauses.

    Attributes:
        is_placed: Whether it reads on from where the group is; False sends it to look there again.
        foreign: Messages it passed over since they are no events of ours.
    """

    def __init__(self, member: Member, whereabouts: Whereabouts, *, prefix: str, clock: Clock) -> None:
        self.is_placed = False
        self.foreign = 0
        self._member = member
        self._whereabouts = whereabouts
        self._prefix = prefix
        self._clock = clock
        self._intake = Intake()
        self._from_first: frozenset[Place] = frozenset()
        self._logger = structlog.get_logger()

    @property
    def next_offsets(self) -> Mapping[Place, int]:
        """The offset of each partition before which everything is dealt with; empty before it found them."""
        return self._intake.next_offsets()

    async def receive(self) -> int:
        """Take in what there is; returns how many messages came, or that there was no room for any.

        Raises:
            Transient: Kafka or Postgres could not do it.
            Rejected: `too_many_replicas`; `events_missing`: everything was read, and what is missing came nowhere.
        """
        if not self.is_placed and self._member.given:
            await self._find_place()
        came = await self._fetch()
        if self._intake.has_holes and not came and not len(self._intake):
            for place, offset in self._intake.holes_before(await self._member.ends()):
                raise self._whereabouts.missing(place, offset, prefix=self._prefix)
        return came

    def batch(self, limit: int) -> Sequence[RawDelivery]:
        """Up to `limit` events of one workspace: that of the one that has waited longest."""
        return self._intake.batch(limit)

    def done(self, taken: Sequence[RawDelivery]) -> None:
        """Let go of what was dealt with."""
        self._intake.done(taken)

    def forget(self) -> None:
        """Let go of everything: the partitions were given back."""
        self._intake.clear()
        self.is_placed = False

    async def remember(self, tx: Transaction) -> None:
        """Store the offsets before which everything was dealt with, with what else the transaction does."""
        await self._whereabouts.store(tx, self.next_offsets)

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
        self.is_placed = True

    async def _fetch(self) -> int:
        room = FETCHED_EVENTS - len(self._intake)
        if room <= 0:
            return len(self._intake)
        came = self._take_in(await self._member.fetch(room, 0 if len(self._intake) else WAIT_SECONDS))
        if 0 < came < room and self.is_placed:
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
                    self.is_placed = False
                    break
                self._intake.pass_hole(place, message.offset, event)
        return len(messages)
