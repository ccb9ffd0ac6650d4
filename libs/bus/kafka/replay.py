"""Asking a log's relay to send a topic's events again, from the log, which keeps them for good.

It is only asked for here, in one statement; whoever relays the log does it (`relayed.py`). So nothing is sent beside
the relay, it may be stopped and killed at any moment, and asking twice sends no less and little more than asking once.

What comes again is the same to the byte, in order for each bucket, and whole: every event of a bucket from some place
on. That is why one workspace's events alone cannot be had: readers count the events of a bucket.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from libs.bus.kafka.relayed import LOCK
from libs.database.postgres import lost_as_transient
from libs.database.schemas import SERVICES

_COUNT_SECONDS: Final = 900.0
"""Seconds for counting. The log of ten years is read through once, for a person who waits for it."""

_PLAN: Final = """
WITH first AS (
    SELECT bucket, min(sequence) AS sequence FROM {log}.event_log
    WHERE topic = $1 AND bucket = ANY($2::smallint[]) AND ($3::timestamptz IS NULL OR occurred_at >= $3)
    GROUP BY bucket
)
SELECT first.bucket, coalesce(before.sequence, 0) AS behind, again.events, again.since
FROM first
JOIN {log}.relayed AS known ON known.topic = $1 AND known.bucket = first.bucket,
LATERAL (
    SELECT max(sequence) AS sequence FROM {log}.event_log
    WHERE topic = $1 AND bucket = first.bucket AND sequence < first.sequence
) AS before,
LATERAL (
    SELECT count(*) AS events, min(occurred_at) AS since FROM {log}.event_log
    WHERE topic = $1 AND bucket = first.bucket AND sequence BETWEEN first.sequence AND known.sequence
) AS again
WHERE again.events > 0 ORDER BY first.bucket
"""

_ASK: Final = """
INSERT INTO {log}.replay AS asked (topic, bucket, sequence)
SELECT $1, * FROM unnest($2::smallint[], $3::bigint[])
ON CONFLICT (topic, bucket) DO UPDATE SET sequence = least(asked.sequence, excluded.sequence)
"""

_LEFT: Final = """
SELECT coalesce(sum(known.sequence - asked.sequence), 0)::bigint AS places, count(*) AS buckets
FROM {log}.replay AS asked JOIN {log}.relayed AS known USING (topic, bucket) WHERE topic = $1
"""

_IS_RELAYED: Final = """
SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = $1 AND objid = $2 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


@dataclass(frozen=True)
class Again:
    """What of one bucket would be sent again.

    Attributes:
        bucket: Of the log.
        behind: The sequence of the event of the topic before the first of them; 0 when that is the first of all.
        events: How many they are by now.
        since: When the earliest of them occurred.
    """

    bucket: int
    behind: int
    events: int
    since: datetime


@dataclass(frozen=True)
class Left:
    """What is not sent again yet: places in the log that the relay has to pass, and buckets that are not through."""

    places: int
    buckets: int


class Replay:
    """Sending the events of one topic again.

    Args:
        topic: By its name in the registry.
        log: Which log has it.
        pool: Connections of the role that carries logs.
    """

    def __init__(self, topic: str, log: str, pool: asyncpg.Pool) -> None:
        self._topic = topic
        self._log = log
        self._pool = pool

    async def plan(self, buckets: Collection[int], since: datetime | None = None) -> Sequence[Again]:
        """What of these buckets would be sent again; with `since`, from the first event on that occurred no earlier.

        Raises:
            Transient: Postgres does not answer.
        """
        with lost_as_transient():
            statement = _PLAN.format(log=self._log)
            rows = await self._pool.fetch(statement, self._topic, sorted(buckets), since, timeout=_COUNT_SECONDS)
        return [Again(row["bucket"], row["behind"], row["events"], row["since"]) for row in rows]

    async def ask(self, planned: Sequence[Again]) -> None:
        """Ask the relay for it. Where it is sending again already it goes back, if more is asked for.

        Raises:
            Transient: Postgres does not answer.
        """
        buckets, behind = [each.bucket for each in planned], [each.behind for each in planned]
        with lost_as_transient():
            await self._pool.execute(_ASK.format(log=self._log), self._topic, buckets, behind)

    async def left(self) -> Left:
        """What of this topic is not sent again yet.

        Raises:
            Transient: Postgres does not answer.
        """
        with lost_as_transient():
            row = await self._pool.fetchrow(_LEFT.format(log=self._log), self._topic)
        return Left(row["places"], row["buckets"])

    async def is_relayed(self) -> bool:
        """Whether a process is the relay of the log now.

        Raises:
            Transient: Postgres does not answer.
        """
        with lost_as_transient():
            return bool(await self._pool.fetchval(_IS_RELAYED, LOCK, SERVICES.index(self._log)))
