"""Parking: what a group cannot deal with is passed, said on the dead-letter topic, and holds up nothing else.

One workspace whose events all fail, or whose keys are gone, is parked event by event while the others go through. When
everything fails, the fault is ours, and the group stops before it has parked the rest.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.errors import Malformed, Rejected, WellError
from libs.contracts.events import Parked
from libs.contracts.topics import dead_letters_of
from libs.crypto.bearer import INSTALLATION
from libs.database.port import Database
from libs.eventlog.port import Consumed, EventLog, RawDelivery

ATTEMPTS: Final = 5
"""Tries of one event before it is parked, with pauses of 0.1, 0.2, 0.4 and 0.8 s: a lost race is over by then."""

SUSPECT_PARKED: Final = 20
"""Events of one workspace parked within the hour, after which its further ones are tried once: 1.5 s of pauses for each
of thousands would hold up the others."""

PARKED_AN_HOUR: Final = 100
"""Events a group may park in an hour. Beyond it the fault is ours, not the events', and stopping keeps the rest whole;
unless all were of one workspace, and others get through."""

_HOUR: Final = timedelta(hours=1)


class Parking:
    """What one member of a group has parked, and whether it may park more.

    Attributes:
        count: Events parked since the process started.
    """

    def __init__(self, group: str, *, database: Database, log: EventLog) -> None:
        self.count = 0
        self._group = group
        self._database = database
        self._log = log
        self._parked: deque[tuple[datetime, UUID]] = deque(maxlen=PARKED_AN_HOUR)
        self._got_through: deque[UUID] = deque(maxlen=2)

    def got_through(self, workspace: UUID) -> None:
        """Remember that a batch of a workspace went well."""
        self._got_through.append(workspace)

    def tries(self, workspace: UUID, now: datetime) -> int:
        """How often an event of a workspace is tried before it is parked."""
        lately = sum(parked == workspace and now - at < _HOUR for at, parked in self._parked)
        return ATTEMPTS if lately < SUSPECT_PARKED else 1

    async def park(self, raw: RawDelivery, error: Exception, attempts: int, now: datetime) -> None:
        """Pass an event and say so, both or neither.

        Where nothing can be sealed for its workspace, since its keys are gone or do not open, it is said among what
        belongs to no workspace: place and reason hold nothing of a customer.

        Raises:
            Malformed: `too_many_parked` beyond `PARKED_AN_HOUR`.
            Transient: The database could not be reached; nothing happened.
        """
        if self._too_many(raw.workspace, now):
            sentence = f"{self._group} parked {PARKED_AN_HOUR} events within an hour and stops here."
            raise Malformed(sentence, code="too_many_parked") from error
        try:
            await self._say(raw, error, attempts, now, workspace=raw.workspace)
        except (Malformed, Rejected):
            await self._say(raw, error, attempts, now, workspace=INSTALLATION)
        self._parked.append((now, raw.workspace))
        self.count += 1
        structlog.get_logger().error(
            "bus.parked", group=self._group, event_id=str(raw.event_id), why=sentence_of(error)
        )

    def _too_many(self, workspace: UUID, now: datetime) -> bool:
        if len(self._parked) < PARKED_AN_HOUR or now - self._parked[0][0] >= _HOUR:
            return False
        of_one = {parked for _, parked in self._parked} == {workspace}
        return not of_one or all(well == workspace for well in self._got_through)

    async def _say(self, raw: RawDelivery, error: Exception, attempts: int, now: datetime, *, workspace: UUID) -> None:
        parked = _parked(self._group, raw, error, attempts, now, workspace=workspace)
        async with self._database.transaction(workspace) as tx:
            await self._log.append(tx, [parked], consumed=Consumed(self._group, (raw.position,)))


def _parked(
    group: str, raw: RawDelivery, error: Exception, attempts: int, now: datetime, *, workspace: UUID
) -> Envelope:
    place = raw.position
    return enveloped(
        Parked(
            group=group,
            log=place.log,
            bucket=place.bucket,
            sequence=place.sequence,
            event=raw.event_id,
            error=type(error).__name__,
            sentence=sentence_of(error),
            attempts=attempts,
        ),
        workspace=workspace,
        record=f"parked/{group}/{place.log}/{place.bucket}/{place.sequence}",
        cause=raw.event_id,
        occurred_at=now,
        topic=dead_letters_of(place.topic),
    )


def sentence_of(error: Exception) -> str:
    """Our own errors carry a sentence; of others only the name is safe to repeat."""
    return error.sentence if isinstance(error, WellError) else f"A {type(error).__name__} in our own code."
