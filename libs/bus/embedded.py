"""The embedded transport: a consumer group that tails the log tables directly. One process needs nothing else.

How a batch is dealt with:

1. Read behind the cursor; take what belongs to one workspace.
2. In one transaction: hold the buckets and drop what the group has dealt with, run the handler, append its events with
   the positions.
3. Move the cursor. It lives in memory and may run ahead of the stored positions over events nobody wanted.

When the handler fails, the batch is taken one by one; what still fails after `ATTEMPTS`, or cannot get better, is
parked (parking.py): its position is passed, and a `Parked` event on the dead-letter topic says where the original is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from libs.bus.batching import of_one_workspace, read_through
from libs.bus.parking import ATTEMPTS, Parking, sentence_of
from libs.bus.port import Subscription
from libs.contracts.errors import Malformed, Rejected, Stale, Transient, WellError
from libs.database.port import Database
from libs.eventlog.port import Consumed, Delivery, EventLog, LogReader, RawDelivery
from libs.runtime.clock import Clock

FIRST_PAUSE_SECONDS: Final = 0.1
"""Seconds before the second try; doubled before each further one."""

LONGEST_PAUSE_SECONDS: Final = 30.0
"""Seconds. Postgres restarts in less; a longer pause would only add to the delay after it is back."""

TRANSIENT_TRIES: Final = 25
"""Failures in a row, about ten minutes, before the consumer ends and its process with it: what starts processes can
see that, and a process that never gets through is better restarted elsewhere."""

LINGER_SECONDS: Final = 0.02
"""Seconds between a notice of growth and the look at it, so that a burst becomes one batch. Six stages of it stay far
below the second that a sign-off may take until it is posted."""

IDLE_SECONDS: Final = 1.0
"""Seconds to wait for growth before looking anyway, should a notice have been lost."""


class Consumer:
    """One member of a consumer group.

    Attributes:
        subscription: What it reads and what it does.
        lag: Events of its logs behind the cursor when it last looked, wanted or not.
        failures: Turns that failed in a row; 0 when the last one went well.
        last_sentence: Why the last failure failed; None when what came after it went well.
    """

    def __init__(
        self, subscription: Subscription, *, database: Database, log: EventLog, reader: LogReader, clock: Clock
    ) -> None:
        self.subscription = subscription
        self.lag = 0
        self.last_sentence: str | None = None
        self._database = database
        self._log = log
        self._reader = reader
        self._clock = clock
        self._cursors: dict[str, dict[int, int]] = {}
        self.failures = 0
        self._lost_races = 0
        self._parking = Parking(subscription.group, database=database, log=log)
        self._logger = structlog.get_logger().bind(group=subscription.group)

    @property
    def parked(self) -> int:
        """Events it has parked since it started."""
        return self._parking.count

    async def run(self, stop: asyncio.Event) -> None:
        """Deal with events until `stop` is set; the batch under way is finished first.

        Raises:
            Transient: It failed `TRANSIENT_TRIES` times in a row.
            Malformed: `too_many_parked`: more than `PARKED_AN_HOUR`.
        """
        looked: dict[str, int] = {}
        while not stop.is_set():
            try:
                await self._turn(looked)
                if self.failures:
                    self.failures, self.last_sentence = 0, None
            except (Transient, Stale) as error:
                await self._pause_after(error)

    async def step(self) -> int:
        """Deal with one batch of each log; returns how many deliveries were dealt with.

        Raises:
            Transient: The database could not be reached or a race was lost; nothing happened.
            Stale: Another member of the group was faster; nothing happened.
        """
        return sum([await self._step_of(log) for log in self.subscription.logs])

    async def _turn(self, looked: dict[str, int]) -> None:
        """Deal with one batch of each log that has grown since it was `looked` at to its end; wait when none has."""
        grown = {log: self._reader.growth(log) for log in self.subscription.logs}
        dealt_with = 0
        for log in [log for log in grown if looked.get(log) != grown[log]]:
            dealt_with_here = await self._step_of(log)
            if not dealt_with_here:
                looked[log] = grown[log]
            dealt_with += dealt_with_here
        if dealt_with:
            return
        if await self._reader.wait(grown, IDLE_SECONDS):
            await self._clock.sleep(LINGER_SECONDS)
        else:
            looked.clear()

    async def _step_of(self, log: str) -> int:
        cursor = self._cursors.get(log)
        if cursor is None:
            cursor = self._cursors[log] = dict(await self._reader.positions(self.subscription.group, log))
        piece = await self._reader.read(
            log, cursor, topics=self.subscription.topics, limit=self.subscription.batch_events
        )
        self.lag = sum(end - cursor.get(bucket, 0) for bucket, end in piece.through.items())
        taken = of_one_workspace(piece.deliveries)
        if not taken:
            cursor.update(piece.through)
            return 0
        dealt_with = await self._take(taken)
        if dealt_with == len(taken):
            cursor.update(read_through(piece, taken))
        else:
            del self._cursors[log]  # a rival was at it: only the stored positions know how far the group is
        return dealt_with

    async def _take(self, taken: Sequence[RawDelivery]) -> int:
        """Deal with a batch, or with its events one by one; returns how many were dealt with here.

        A race that is lost again and again is none, and counts as any other failure.
        """
        try:
            dealt_with = await self._handle([await self._reader.open(raw) for raw in taken])
        except Transient:
            raise
        except Exception as error:
            if isinstance(error, Stale) and self._lost_races < ATTEMPTS:
                self._lost_races += 1
                raise
            self._logger.warning("bus.batch_failed", error=type(error).__name__, events=len(taken))
        else:
            self.last_sentence = None
            return dealt_with
        for nth, raw in enumerate(taken):
            if not await self._take_one(raw):
                return nth  # going on behind an event that was left to a rival would pass it over
        return len(taken)

    async def _take_one(self, raw: RawDelivery) -> bool:
        tries = self._parking.tries(raw.workspace, self._clock.now())
        for attempt in range(1, tries + 1):
            try:
                return bool(await self._handle([await self._reader.open(raw)]))
            except Transient:
                raise
            except Exception as error:  # noqa: BLE001 the second of two: what keeps failing is parked, not lost
                self.last_sentence = sentence_of(error)
                if attempt == tries or isinstance(error, Malformed | Rejected):
                    await self._parking.park(raw, error, attempt, self._clock.now())
                    break
                await self._clock.sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
        return True

    async def _handle(self, batch: Sequence[Delivery]) -> int:
        """Deal with a batch in one transaction; returns how many of it the group had not dealt with before."""
        group = self.subscription.group
        async with self._database.transaction(batch[0].envelope.workspace) as tx:
            fresh = await self._log.unseen(tx, group, batch)
            if fresh:
                events = await self.subscription.handler(tx, fresh)
                consumed = Consumed(group, tuple(delivery.position for delivery in fresh))
                await self._log.append(tx, events, consumed=consumed)
        self._lost_races = 0
        self._parking.got_through(batch[0].envelope.workspace)
        return len(fresh)

    async def _pause_after(self, error: WellError) -> None:
        self.failures += 1
        self.last_sentence = error.sentence
        if self.failures >= TRANSIENT_TRIES:
            raise Transient(f"{self.subscription.group} failed {self.failures} times in a row.") from error
        await self._clock.sleep(min(FIRST_PAUSE_SECONDS * 2 ** (self.failures - 1), LONGEST_PAUSE_SECONDS))
