"""The embedded transport: a consumer group that tails the log tables directly. One process needs nothing else.

A turn, for each topic whose log has grown:

1. Read behind the cursor; take what belongs to one workspace.
2. Deal with it (`libs/bus/dealing.py`): the handler's rows, its events and the positions commit together.
3. Move the cursor. It lives in memory and may run ahead of the stored positions over events nobody wanted.
"""

from __future__ import annotations

import asyncio
from typing import Final

from libs.bus.batching import of_one_workspace, read_through
from libs.bus.dealing import Dealer
from libs.bus.port import Subscription
from libs.contracts.errors import Stale, Transient
from libs.contracts.topics import log_of
from libs.database.port import Database
from libs.eventlog.port import EventLog, LogReader
from libs.runtime.clock import Clock

LINGER_SECONDS: Final = 0.02
"""Seconds between a notice of growth and the look at it, so that a burst becomes one batch. Six stages of it stay far
below the second that a sign-off may take until it is posted."""

IDLE_SECONDS: Final = 1.0
"""Seconds to wait for growth before looking anyway, should a notice have been lost."""


class Consumer:
    """One member of a consumer group.

    Attributes:
        subscription: What it reads and what it does.
    """

    def __init__(
        self, subscription: Subscription, *, database: Database, log: EventLog, reader: LogReader, clock: Clock
    ) -> None:
        self.subscription = subscription
        self._dealer = Dealer(subscription, database=database, log=log, opener=reader, clock=clock)
        self._reader = reader
        self._clock = clock
        self._cursors: dict[str, dict[int, int]] = {}
        self._lags: dict[str, int] = {}

    @property
    def lag(self) -> int:
        """Events of its logs behind the cursors when it last looked, wanted or not."""
        return sum(self._lags.values())

    @property
    def failures(self) -> int:
        """Turns that failed in a row; 0 when the last one went well."""
        return self._dealer.failures

    @property
    def dead(self) -> None:
        """Nothing: a consumer in the process itself ends the process when it ends."""
        return

    @property
    def parked(self) -> int:
        """Events it has parked since it started."""
        return self._dealer.parked

    @property
    def last_sentence(self) -> str | None:
        """Why the last failure failed; None when what came after it went well."""
        return self._dealer.last_sentence

    async def run(self, stop: asyncio.Event) -> None:
        """Deal with events until `stop` is set; the batch under way is finished first.

        Raises:
            Transient: It failed too often in a row.
            Malformed: `too_many_parked`: the fault is ours, not the events'.
        """
        looked: dict[str, int] = {}
        while not stop.is_set():
            try:
                await self._turn(looked)
                self._dealer.got_through()
            except (Transient, Stale) as error:
                await self._dealer.pause_after(error)

    async def step(self) -> int:
        """Deal with one batch of each topic; returns how many deliveries were dealt with.

        Raises:
            Transient: The database could not be reached or a race was lost; nothing happened.
            Stale: Another member of the group was faster; nothing happened.
        """
        return sum([await self._step_of(topic) for topic in sorted(self.subscription.topics)])

    async def _turn(self, looked: dict[str, int]) -> None:
        """Deal with a batch of each topic whose log grew since it was `looked` at to its end; wait when none did."""
        grown = {topic: self._reader.growth(log_of(topic)) for topic in sorted(self.subscription.topics)}
        dealt_with = 0
        for topic in [topic for topic in grown if looked.get(topic) != grown[topic]]:
            dealt_with_here = await self._step_of(topic)
            if not dealt_with_here:
                looked[topic] = grown[topic]
            dealt_with += dealt_with_here
        if dealt_with:
            return
        if await self._reader.wait({log_of(topic): count for topic, count in grown.items()}, IDLE_SECONDS):
            await self._clock.sleep(LINGER_SECONDS)
        else:
            looked.clear()

    async def _step_of(self, topic: str) -> int:
        log = log_of(topic)
        cursor = self._cursors.get(topic)
        if cursor is None:
            group = self.subscription.group
            cursor = self._cursors[topic] = dict(await self._reader.positions(group, log, topic))
        piece = await self._reader.read(log, cursor, topic=topic, limit=self.subscription.batch_events)
        self._lags[topic] = sum(end - cursor.get(bucket, 0) for bucket, end in piece.through.items())
        taken = of_one_workspace(piece.deliveries)
        if not taken:
            cursor.update(piece.through)
            return 0
        dealt_with = await self._dealer.deal(taken)
        if dealt_with == len(taken):
            cursor.update(read_through(piece, taken))
        else:
            del self._cursors[topic]  # a rival was at it: only the stored positions know how far the group is
        return dealt_with
