"""A log as its relay sees it: one process at a time publishes it, in order, and remembers how far it came.

The lock is one of the session, on a connection that is held for it; what is published is remembered through the same
connection. A relay whose connection is lost is therefore none any more, even before it notices.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import asyncpg

from libs.bus.kafka.message import LogRow
from libs.contracts.errors import Transient
from libs.database.postgres import Connection, lost_as_transient
from libs.database.schemas import SERVICES
from libs.eventlog.port import Position, RawDelivery

_LOCK: Final = 0x5752
"""The first half of the advisory lock of relays: "WR". The second is the place of the log's service in `SERVICES`."""

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

_REMEMBER: Final = """
INSERT INTO {log}.relayed AS known (topic, bucket, sequence)
SELECT * FROM unnest($1::text[], $2::smallint[], $3::bigint[])
ON CONFLICT (topic, bucket) DO UPDATE SET sequence = greatest(known.sequence, excluded.sequence)
"""


class RelayedLog:
    """The log of one service, for whoever holds its lock."""

    def __init__(self, log: str, pool: asyncpg.Pool) -> None:
        self.name = log
        self._pool = pool
        self._connection: Connection | None = None
        self._published: dict[tuple[str, int], int] = {}

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
                lock = (_LOCK, SERVICES.index(self.name))
                held = await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", *lock)
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

        Raises:
            Transient: Postgres does not answer; the lock is gone with the connection.
        """
        after: dict[int, int] = {}
        for (_, bucket), sequence in self._published.items():
            after[bucket] = max(sequence, after.get(bucket, 0))
        with self._held() as connection:
            heads = {row["bucket"]: row["sequence"] for row in await connection.fetch(_HEADS.format(log=self.name))}
            grown = {bucket: head for bucket, head in heads.items() if head > after.get(bucket, 0)}
            if not grown:
                return []
            share = max(1, -(-limit // len(grown)))
            afters = [after.get(bucket, 0) for bucket in grown]
            rows = await connection.fetch(_READ.format(log=self.name), list(grown), afters, list(grown.values()), share)
        return self._chained(rows)

    async def remember(self, published: Mapping[tuple[str, int], int]) -> None:
        """Remember the last published sequence of topics and buckets; one that is behind what is known moves nothing.

        Of a bucket, everything up to the highest of its sequences must be published.

        Raises:
            Transient: Postgres does not answer; the lock is gone with the connection.
        """
        with self._held() as connection:
            topics, buckets = [topic for topic, _ in published], [bucket for _, bucket in published]
            await connection.execute(_REMEMBER.format(log=self.name), topics, buckets, list(published.values()))
        self._published.update(published)

    async def release(self) -> None:
        """Let another process be the relay."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with contextlib.suppress(Transient), lost_as_transient():
            await connection.execute("SELECT pg_advisory_unlock_all()")
        with contextlib.suppress(Transient), lost_as_transient():
            await self._pool.release(connection)

    def _chained(self, rows: Sequence[asyncpg.Record]) -> list[LogRow]:
        """Each event with the one before it of its topic and bucket."""
        last = dict(self._published)
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


def _end(connection: Connection) -> None:
    """Give its place in the pool back, and with the session the lock; one that was lost has done both."""
    with contextlib.suppress(asyncpg.InterfaceError):
        connection.terminate()
