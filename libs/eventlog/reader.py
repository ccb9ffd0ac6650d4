"""Reading event logs in Postgres, as the role that carries them: every workspace, sealed payloads, no writing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import asyncpg

from libs.contracts.envelope import Envelope, decoded
from libs.contracts.errors import Transient
from libs.crypto.keyring import Sealer
from libs.crypto.opened import Opened
from libs.database.growth import Growth
from libs.database.postgres import Connection, lost_as_transient
from libs.eventlog.port import Delivery, Position, RawDelivery, Slice
from libs.eventlog.postgres import GROWN_CHANNEL

_READ: Final = """
SELECT event.bucket, event.sequence, event.workspace, event.topic, event.event_id, event.sealed
FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS piece(bucket, after, head),
LATERAL (
    SELECT * FROM {log}.event_log
    WHERE bucket = piece.bucket AND sequence > piece.after AND sequence <= piece.head AND topic = $4
    ORDER BY sequence LIMIT $5
) AS event
ORDER BY event.bucket, event.sequence
"""

_POSITIONS: Final = """
SELECT bucket, sequence FROM {service}.consumed WHERE group_name = $1 AND log = $2 AND topic = $3
"""

_READ_RECORD: Final = """
SELECT bucket, sequence, workspace, topic, event_id, sealed FROM {log}.event_log
WHERE workspace = $1 AND record_key = $2 ORDER BY bucket, sequence
"""


class PostgresLogReader:
    """The reading side, as the role that carries logs; `opened` may be shared with the logs of the same process."""

    def __init__(self, pool: asyncpg.Pool, sealer: Sealer, opened: Opened[Envelope] | None = None) -> None:
        self._pool = pool
        self._sealer = sealer
        self._opened = opened or Opened()
        self._growth = Growth()
        self._listening: Connection | None = None
        self._one_listens = asyncio.Lock()

    async def positions(self, group: str, log: str, topic: str) -> Mapping[int, int]:
        """The sequence a group has dealt with, by bucket; buckets it never touched are left out."""
        owner = group.split(".", 1)[0]
        with lost_as_transient():
            rows = await self._pool.fetch(_POSITIONS.format(service=owner), group, log, topic)
        return {row["bucket"]: row["sequence"] for row in rows}

    async def read(self, log: str, after: Mapping[int, int], *, topic: str, limit: int) -> Slice:
        """About `limit` events of a topic behind the given sequences, fairly over the buckets."""
        with lost_as_transient():
            heads = await self._pool.fetch(f"SELECT bucket, sequence FROM {log}.event_head")  # noqa: S608 our own names
        grown = {row["bucket"]: row["sequence"] for row in heads if row["sequence"] > after.get(row["bucket"], 0)}
        if not grown:
            return Slice((), {})
        share = max(1, -(-limit // len(grown)))
        afters = [after.get(bucket, 0) for bucket in grown]
        with lost_as_transient():
            rows = await self._pool.fetch(
                _READ.format(log=log), list(grown), afters, list(grown.values()), topic, share
            )
        through = dict(grown)
        taken: dict[int, int] = {}
        for row in rows:
            taken[row["bucket"]] = taken.get(row["bucket"], 0) + 1
            if taken[row["bucket"]] == share:
                through[row["bucket"]] = row["sequence"]
        return Slice(tuple(_raw(log, row) for row in rows), through)

    async def of_record(self, log: str, workspace: UUID, record: str) -> Sequence[RawDelivery]:
        """Every event of one record in a log, in order."""
        key = (await self._sealer.of(workspace)).blind("record", record)
        with lost_as_transient():
            rows = await self._pool.fetch(_READ_RECORD.format(log=log), workspace, key)
        return [_raw(log, row) for row in rows]

    async def open(self, raw: RawDelivery) -> Delivery:
        """The event inside.

        Raises:
            Malformed: It does not open, or what is inside is no event of ours.
        """
        seal = await self._sealer.of(raw.workspace)  # first: of an erased workspace nothing opens, remembered or not
        place = (raw.workspace, raw.position.log, raw.event_id)
        known = self._opened.get(place, raw.sealed)
        if known is not None:
            return Delivery(raw.position, known)
        table = f"{raw.position.log}.event_log"
        plain = seal.open(raw.sealed, table=table, row=str(raw.event_id), column="sealed")
        event = decoded(plain, where=table)
        self._opened.remember(place, raw.sealed, event)
        return Delivery(raw.position, event)

    def growth(self, log: str) -> int:
        """A count that rises with every append to a log that this reader was told of."""
        return self._growth.of(log)

    async def wait(self, since: Mapping[str, int], timeout_seconds: float) -> bool:
        """Return True when one of these logs may have grown since; False after the time-out.

        Raises:
            Transient: Postgres does not answer.
        """
        async with self._one_listens:
            if self._is_deaf():
                await self.close()
                await self._listen()
        return await self._growth.beyond(since, timeout_seconds)

    async def close(self) -> None:
        """Stop listening and give the connection back."""
        connection, self._listening = self._listening, None
        if connection is None:
            return
        # One that was lost cannot be asked to stop, and must be given back all the same: the pool waits for it.
        with contextlib.suppress(Transient), lost_as_transient():
            await connection.remove_listener(GROWN_CHANNEL, self._heard)
        with contextlib.suppress(Transient), lost_as_transient():
            await self._pool.release(connection)

    def _heard(self, *notice: object) -> None:
        self._growth.grew(str(notice[-1]))

    def _is_deaf(self) -> bool:
        if self._listening is None:
            return True
        try:
            return bool(self._listening.is_closed())
        except asyncpg.InterfaceError:  # the pool took it back when it was lost, and it answers nothing any more
            return True

    async def _listen(self) -> None:
        with lost_as_transient():
            connection = await self._pool.acquire()
            try:
                await connection.add_listener(GROWN_CHANNEL, self._heard)
            except BaseException:
                connection.terminate()  # gives its place in the pool back
                raise
        self._listening = connection
        self._growth.grew()  # what was appended before we listened, nobody told us


def _raw(log: str, row: asyncpg.Record) -> RawDelivery:
    position = Position(log, row["topic"], row["bucket"], row["sequence"])
    return RawDelivery(position, row["workspace"], row["event_id"], row["sealed"])
