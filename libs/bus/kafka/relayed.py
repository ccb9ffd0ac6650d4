"""A log as its relay sees it: one process at a time publishes it, in order, and remembers how far it came.

When somebody asks for it (`replay.py`), a topic's events of a bucket are read again from some place on, until they have
caught up with the bucket; only then more of that topic and bucket is read. The others of the bucket go on meanwhile.

The lock is one of the session, on a connection that is held for it; what is published is remembered through the same
connection. A relay whose connection is lost is therefore none any more, even before it notices.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import asyncpg

from libs.bus.kafka.message import LogRow
from libs.contracts.errors import Transient
from libs.database.postgres import Connection, lost_as_transient
from libs.database.schemas import SERVICES
from libs.eventlog.port import Position, RawDelivery

LOCK: Final = 0x5752
"""The first half of the advisory lock of relays: "WR". The second is the place of the log's service in `SERVICES`."""

SILENT_SECONDS: Final = 900.0
"""Seconds that a relay may say nothing to Postgres before it is none any more, so that a log stands still for no longer
when one is suspended. A round is shorter, be it twenty batches to one partition, of brokers that take 40 s each."""

_HEADS: Final = "SELECT bucket, sequence FROM {log}.event_head"

_RELAYED: Final = "SELECT topic, bucket, sequence FROM {log}.relayed"

_READ: Final = """
SELECT event.*
FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS piece(bucket, after, head),
LATERAL (
    SELECT bucket, sequence, workspace, event_id, topic, event_type, occurred_at, record_key, sealed
    FROM {log}.event_log WHERE bucket = piece.bucket AND sequence > piece.after AND sequence <= piece.head
    ORDER BY sequence LIMIT $4
) AS event
ORDER BY event.bucket, event.sequence
"""

_ASKED_FOR: Final = "SELECT topic, bucket, sequence FROM {log}.replay ORDER BY topic, bucket"

_READ_AGAIN: Final = """
SELECT event.*
FROM unnest($1::text[], $2::smallint[], $3::bigint[], $4::bigint[]) AS piece(topic, bucket, after, through),
LATERAL (
    SELECT bucket, sequence, workspace, event_id, topic, event_type, occurred_at, record_key, sealed
    FROM {log}.event_log
    WHERE bucket = piece.bucket AND sequence > piece.after AND sequence <= piece.through AND topic = piece.topic
    ORDER BY sequence LIMIT $5
) AS event
ORDER BY event.topic, event.bucket, event.sequence
"""

# Only from where it was read: somebody may have asked for more meanwhile.
_SENT_AGAIN: Final = """
UPDATE {log}.replay AS asked SET sequence = new.sequence
FROM unnest($1::text[], $2::smallint[], $3::bigint[], $4::bigint[]) AS new(topic, bucket, before, sequence)
WHERE (asked.topic, asked.bucket, asked.sequence) = (new.topic, new.bucket, new.before)
"""

_CAUGHT_UP: Final = """
WITH done AS (
    DELETE FROM {log}.replay AS asked
    USING unnest($1::text[], $2::smallint[], $3::bigint[]) AS at(topic, bucket, sequence)
    WHERE (asked.topic, asked.bucket, asked.sequence) = (at.topic, at.bucket, at.sequence)
    RETURNING asked.topic, asked.bucket, asked.sequence
)
UPDATE {log}.relayed AS known SET sequence = greatest(known.sequence, done.sequence)
FROM done WHERE (known.topic, known.bucket) = (done.topic, done.bucket)
RETURNING known.topic, known.bucket, known.sequence
"""

_REMEMBER: Final = """
INSERT INTO {log}.relayed AS known (topic, bucket, sequence)
SELECT * FROM unnest($1::text[], $2::smallint[], $3::bigint[])
ON CONFLICT (topic, bucket) DO UPDATE SET sequence = greatest(known.sequence, excluded.sequence)
"""


class RelayedLog:
    """The log of one service, for whoever holds its lock."""

    def __init__(self, log: str, pool: asyncpg.Pool, *, silent_seconds: float = SILENT_SECONDS) -> None:
        self.name = log
        self._pool = pool
        self._silent = f"{silent_seconds * 1000:.0f}"
        self._connection: Connection | None = None
        self._published: dict[tuple[str, int], int] = {}
        self._again: dict[tuple[str, int], int] = {}

    async def hold(self) -> bool:
        """Become the relay of this log, or stay it; False while another process is.

        Raises:
            Transient: Postgres does not answer.
        """
        if self._connection is not None:
            return True
        with lost_as_transient():
            connection = await self._pool.acquire()
            try:
                lock = (LOCK, SERVICES.index(self.name))
                held = await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", *lock)
                if held:
                    await connection.execute(f"SET idle_session_timeout = {self._silent}")
                rows = await connection.fetch(_RELAYED.format(log=self.name)) if held else []
            except BaseException:
                _end(connection)
                raise
            if not held:
                await self._pool.release(connection)
                return False
        self._connection = connection
        self._published = {(row["topic"], row["bucket"]): row["sequence"] for row in rows}
        return True

    async def read(self, limit: int) -> Sequence[LogRow]:
        """About `limit` events behind what is published, in order within each bucket, fairly over the buckets.

        Behind them come about as many that are to be published again, in order for each topic and bucket.

        Raises:
            Transient: Postgres does not answer; the lock is gone with the connection.
        """
        with self._held() as connection:
            again = await self._read_again(connection, limit)
            after = self._after()
            heads = {row["bucket"]: row["sequence"] for row in await connection.fetch(_HEADS.format(log=self.name))}
            grown = {bucket: head for bucket, head in heads.items() if head > after.get(bucket, 0)}
            if not grown:
                return self._chained(again)
            share = max(1, -(-limit // len(grown)))
            afters = [after.get(bucket, 0) for bucket in grown]
            rows = await connection.fetch(_READ.format(log=self.name), list(grown), afters, list(grown.values()), share)
        return self._chained([*(row for row in rows if (row["topic"], row["bucket"]) not in self._again), *again])

    async def remember(self, published: Mapping[tuple[str, int], int]) -> None:
        """Remember the last published sequence of topics and buckets; one that is behind what is known moves nothing.

        Of a bucket, everything up to the highest of its sequences must be published. Of topics and buckets that are
        published again it is remembered how far that is, unless more was asked for meanwhile.

        Raises:
            Transient: Postgres does not answer; the lock is gone with the connection.
        """
        again = {lane: sequence for lane, sequence in published.items() if lane in self._again}
        first = {lane: sequence for lane, sequence in published.items() if lane not in self._again}
        with self._held() as connection:
            await connection.execute(_REMEMBER.format(log=self.name), *_columns(first), list(first.values()))
            if again:
                before = [self._again[lane] for lane in again]
                sent = _SENT_AGAIN.format(log=self.name)
                await connection.execute(sent, *_columns(again), before, list(again.values()))
        self._published.update(first)

    async def release(self) -> None:
        """Let another process be the relay."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with contextlib.suppress(Transient), lost_as_transient():
            await connection.execute("SELECT pg_advisory_unlock_all(); RESET idle_session_timeout")
        with contextlib.suppress(Transient), lost_as_transient():
            await self._pool.release(connection)

    async def _read_again(self, connection: Connection, limit: int) -> list[asyncpg.Record]:
        """Of what was asked for again, what comes next; what has caught up with its bucket is none of it any more."""
        asked = await connection.fetch(_ASKED_FOR.format(log=self.name))
        self._again = {(row["topic"], row["bucket"]): row["sequence"] for row in asked}
        if not asked:
            return []
        after, share = self._after(), max(1, -(-limit // len(asked)))
        places = [*_columns(self._again), list(self._again.values())]
        through = [after.get(bucket, 0) for _, bucket in self._again]
        rows: list[asyncpg.Record] = await connection.fetch(_READ_AGAIN.format(log=self.name), *places, through, share)
        caught_up = self._again.keys() - {(row["topic"], row["bucket"]) for row in rows}
        done = {lane: self._again.pop(lane) for lane in sorted(caught_up)}
        if done:
            statement = _CAUGHT_UP.format(log=self.name)
            known = await connection.fetch(statement, *_columns(done), list(done.values()))
            self._published |= {(row["topic"], row["bucket"]): row["sequence"] for row in known}
        return rows

    def _after(self) -> dict[int, int]:
        """By bucket, the sequence up to which everything was published."""
        after: dict[int, int] = {}
        for (_, bucket), sequence in self._published.items():
            after[bucket] = max(sequence, after.get(bucket, 0))
        return after

    def _chained(self, rows: Sequence[asyncpg.Record]) -> list[LogRow]:
        """Each event with the one before it of its topic and bucket."""
        last = self._published | self._again
        chained = []
        for row in rows:
            place = (row["topic"], row["bucket"])
            position = Position(self.name, row["topic"], row["bucket"], row["sequence"])
            raw = RawDelivery(position, row["workspace"], row["event_id"], row["sealed"])
            said = (row["event_type"], row["occurred_at"], row["record_key"])
            chained.append(LogRow(raw, *said, previous=last.get(place, 0)))
            last[place] = row["sequence"]
        return chained

    @contextlib.contextmanager
    def _held(self) -> Iterator[Connection]:
        """The connection that holds the lock; when a statement on it fails, the lock is given up with it."""
        if self._connection is None:
            raise Transient(f"This process is not the relay of {self.name}.")
        try:
            with lost_as_transient():
                yield self._connection
        except BaseException:
            _end(self._connection)
            self._connection = None
            raise


def _columns(lanes: Iterable[tuple[str, int]]) -> tuple[list[str], list[int]]:
    lanes = list(lanes)
    return [topic for topic, _ in lanes], [bucket for _, bucket in lanes]


def _end(connection: Connection) -> None:
    """Give its place in the pool back, and with the session the lock; one that was lost has done both."""
    with contextlib.suppress(asyncpg.InterfaceError):
        connection.terminate()
