"""What every transport does with a batch, whatever carried it.

1. Open it; in one transaction hold its lanes and drop what the group has dealt with, run the handler, append its events
   with the positions.
2. When that fails, take its events one by one; what still fails after `ATTEMPTS`, or cannot get better, is parked
   (parking.py): its position is passed, and a `Parked` event on the dead-letter topic says where the original is.
3. A lost race or a database that is away is waited out, with pauses that grow, up to `TRANSIENT_TRIES`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from libs.bus.parking import ATTEMPTS, Parking, sentence_of
from libs.bus.port import Subscription
from libs.contracts.errors import Malformed, Rejected, Stale, Transient, WellError
from libs.database.port import Database
from libs.eventlog.port import Consumed, Delivery, EventLog, RawDelivery
from libs.runtime.clock import Clock

FIRST_PAUSE_SECONDS: Final = 0.1
"""Seconds before the second try; doubled before each further one."""

LONGEST_PAUSE_SECONDS: Final = 30.0
"""Seconds. Postgres restarts in less; a longer pause would only add to the delay after it is back."""

TRANSIENT_TRIES: Final = 25
"""Failures in a row, about ten minutes, before the consumer ends and its process with it: what starts processes can
see that, and a process that never gets through is better restarted elsewhere."""


class Opener(Protocol):
    """Opens what a transport brings."""

    async def open(self, raw: RawDelivery) -> Delivery:
        """The event inside.

        Raises:
            Malformed: It does not open, or what is inside is no event of ours.
        """
        ...


class Dealer:
    """Deals with batches on behalf of one member of a group.

    Attributes:
        failures: Turns that failed in a row; 0 when the last one went well.
        last_sentence: Why the last failure failed; None when what came after it went well.
    """

    def __init__(
        self, subscription: Subscription, *, database: Database, log: EventLog, opener: Opener, clock: Clock
    ) -> None:
        self.failures = 0
        self.last_sentence: str | None = None
        self._subscription = subscription
        self._database = database
        self._log = log
        self._opener = opener
        self._clock = clock
        self._lost_races = 0
        self._parking = Parking(subscription.group, database=database, log=log)
        self._logger = structlog.get_logger().bind(group=subscription.group)

    @property
    def parked(self) -> int:
        """Events it has parked since it started."""
        return self._parking.count

    async def deal(self, taken: Sequence[RawDelivery]) -> int:
        """Deal with a batch of one workspace, or with its events one by one.

        A race that is lost again and again is none, and counts as any other failure.

        Returns:
            How many of it, from its start, the group is done with. Fewer than all when a rival was at it: then only
            the stored positions know how far the group is.

        Raises:
            Transient, Stale: Nothing happened; the same batch may be tried again.
            Malformed: `too_many_parked`: the fault is ours, not the events'.
        """
        try:
            dealt_with = await self._handle([await self._opener.open(raw) for raw in taken])
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

    async def pause_after(self, error: WellError) -> None:
        """Wait, longer after each failure in a row.

        Raises:
            Transient: It was the last of `TRANSIENT_TRIES`.
        """
        self.failures += 1
        self.last_sentence = error.sentence
        if self.failures >= TRANSIENT_TRIES:
            raise Transient(f"{self._subscription.group} failed {self.failures} times in a row.") from error
        await self._clock.sleep(min(FIRST_PAUSE_SECONDS * 2 ** (self.failures - 1), LONGEST_PAUSE_SECONDS))

    def got_through(self) -> None:
        """Forget the failures, if there were any."""
        if self.failures:
            self.failures, self.last_sentence = 0, None

    async def _take_one(self, raw: RawDelivery) -> bool:
        tries = self._parking.tries(raw.workspace, self._clock.now())
        for attempt in range(1, tries + 1):
            try:
                return bool(await self._handle([await self._opener.open(raw)]))
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
        group = self._subscription.group
        async with self._database.transaction(batch[0].envelope.workspace) as tx:
            fresh = await self._log.unseen(tx, group, batch)
            if fresh:
                events = await self._subscription.handler(tx, fresh)
                consumed = Consumed(group, tuple(delivery.position for delivery in fresh))
                await self._log.append(tx, events, consumed=consumed)
        self._lost_races = 0
        self._parking.got_through(batch[0].envelope.workspace)
        return len(fresh)
