"""The event log in Postgres.

An append takes the rows of its buckets in `event_head`, in order of bucket, and holds them until the transaction ends.
So the sequences of a bucket are given out in the order in which they become visible: no gaps, and no row that commits
late behind one that a reader has seen. Two appends that touch the same buckets wait for each other and cannot block
each other for ever, since both take them in the same order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import asyncpg
from pydantic import ValidationError

from libs.contracts.envelope import Envelope
from libs.contracts.errors import Malformed, Stale
from libs.crypto.keyring import Sealer
from libs.crypto.seal import WorkspaceSeal
from libs.database.growth import Growth
from libs.database.port import Transaction
from libs.database.postgres import Connection, connection_of, lost_as_transient
from libs.eventlog.numbering import numbered, split_consumed
from libs.eventlog.port import Consumed, Delivery, Position, RawDelivery, Slice

GROWN_CHANNEL: Final = "well_log_grown"
"""The Postgres channel on which every append says that there is something new; the payload is the log's name."""

_GROW_HEADS: Final = """
WITH held AS MATERIALIZED (
    SELECT bucket FROM {log}.event_head WHERE bucket = ANY($1::smallint[]) ORDER BY bucket FOR UPDATE
)
UPDATE {log}.event_head AS head SET sequence = head.sequence + wanted.events
FROM held JOIN unnest($1::smallint[], $2::bigint[]) AS wanted(bucket, events) USING (bucket)
WHERE head.bucket = held.bucket
RETURNING head.bucket, head.sequence - wanted.events AS before
"""

_INSERT_EVENTS: Final = """
WITH written AS (
    INSERT INTO {log}.event_log (bucket, sequence, workspace, event_id, topic, record_key, sealed)
    SELECT bucket, sequence, $7, event_id, topic, record_key, sealed
    FROM unnest($1::smallint[], $2::bigint[], $3::uuid[], $4::text[], $5::bytea[], $6::bytea[])
        AS new(bucket, sequence, event_id, topic, record_key, sealed)
)
SELECT pg_notify($8, $9)
"""

_HOLD_POSITIONS: Final = """
SELECT log, bucket, sequence FROM {log}.consumed
WHERE group_name = $1 AND (log, bucket) IN (SELECT * FROM unnest($2::text[], $3::smallint[]))
ORDER BY log, bucket FOR UPDATE SKIP LOCKED
"""

_MAKE_POSITIONS: Final = """
INSERT INTO {log}.consumed (group_name, log, bucket, sequence)
SELECT $1, log, bucket, 0 FROM unnest($2::text[], $3::smallint[]) AS new(log, bucket)
ON CONFLICT DO NOTHING
"""

_MOVE_POSITIONS: Final = """
UPDATE {log}.consumed AS known SET sequence = new.sequence
FROM unnest($2::text[], $3::smallint[], $4::bigint[]) AS new(log, bucket, sequence)
WHERE known.group_name = $1 AND known.log = new.log AND known.bucket = new.bucket
"""

_READ: Final = """
SELECT event.bucket, event.sequence, event.workspace, event.topic, event.event_id, event.sealed
FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS piece(bucket, after, head),
LATERAL (
    SELECT * FROM {log}.event_log
    WHERE bucket = piece.bucket AND sequence > piece.after AND sequence <= piece.head AND topic = ANY($4::text[])
    ORDER BY sequence LIMIT $5
) AS event
ORDER BY event.bucket, event.sequence
"""

_READ_RECORD: Final = """
SELECT bucket, sequence, workspace, topic, event_id, sealed FROM {log}.event_log
WHERE workspace = $1 AND record_key = $2 ORDER BY bucket, sequence
"""


class PostgresEventLog:
    """The writing side, inside a transaction of the service that owns the log."""

    def __init__(self, name: str, sealer: Sealer) -> None:
        self._name = name
        self._sealer = sealer

    @property
    def name(self) -> str:
        """The log's name, which is the service's."""
        return self._name

    async def append(
        self, tx: Transaction, events: Sequence[Envelope], *, consumed: Consumed | None = None
    ) -> tuple[Position, ...]:
        """Write events and remember positions, both or neither; see the port.

        Raises:
            Stale: Some consumed positions were seen before and some were not, or an event's id stands in the log.
            ValueError: An event belongs to another workspace than the transaction.
        """
        connection = connection_of(tx)
        if consumed is not None and not await self._move(connection, consumed):
            return ()
        if not events:
            return ()
        if any(event.workspace != tx.workspace for event in events):
            raise ValueError("an event of one workspace in a transaction of another")
        placed = numbered(self._name, events, await self._grow(connection, events))
        seal = await self._sealer.of(tx.workspace)
        try:
            await connection.execute(
                _INSERT_EVENTS.format(log=self._name),
                [position.bucket for position in placed],
                [position.sequence for position in placed],
                [event.id for event in events],
                [event.topic for event in events],
                [seal.blind("record", event.record) for event in events],
                [_sealed(seal, self._name, event) for event in events],
                tx.workspace,
                GROWN_CHANNEL,
                self._name,
            )
        except asyncpg.UniqueViolationError:
            raise Stale("An event with this cause stands in the log already; read again what it changed.") from None
        return placed

    async def unseen(self, tx: Transaction, group: str, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Those deliveries that the group has not dealt with, and hold their buckets for this transaction."""
        connection = connection_of(tx)
        places = sorted({(d.position.log, d.position.bucket) for d in deliveries})
        logs, buckets = [log for log, _ in places], [bucket for _, bucket in places]
        await connection.execute(_MAKE_POSITIONS.format(log=self._name), group, logs, buckets)
        held = await connection.fetch(_HOLD_POSITIONS.format(log=self._name), group, logs, buckets)
        seen = {(row["log"], row["bucket"]): row["sequence"] for row in held}
        return [
            d
            for d in deliveries
            if (place := (d.position.log, d.position.bucket)) in seen and d.position.sequence > seen[place]
        ]

    async def _grow(self, connection: Connection, events: Sequence[Envelope]) -> dict[int, int]:
        wanted: dict[int, int] = {}
        for event in events:
            wanted[event.bucket] = wanted.get(event.bucket, 0) + 1
        rows = await connection.fetch(_GROW_HEADS.format(log=self._name), list(wanted), list(wanted.values()))
        return {row["bucket"]: row["before"] for row in rows}

    async def _move(self, connection: Connection, consumed: Consumed) -> bool:
        places = sorted({(p.log, p.bucket) for p in consumed.positions})
        logs, buckets = [log for log, _ in places], [bucket for _, bucket in places]
        await connection.execute(_MAKE_POSITIONS.format(log=self._name), consumed.group, logs, buckets)
        held = await connection.fetch(_HOLD_POSITIONS.format(log=self._name), consumed.group, logs, buckets)
        if len(held) < len(places):
            raise Stale("Another member of the group holds these buckets; take `unseen` first.")
        known = {(row["log"], row["bucket"]): row["sequence"] for row in held}
        moved = split_consumed(consumed, known)
        if not moved:
            return False
        await connection.execute(
            _MOVE_POSITIONS.format(log=self._name),
            consumed.group,
            [log for log, _ in moved],
            [bucket for _, bucket in moved],
            list(moved.values()),
        )
        return True


class PostgresLogReader:
    """The reading side, as the role that carries logs."""

    def __init__(self, pool: asyncpg.Pool, sealer: Sealer) -> None:
        self._pool = pool
        self._sealer = sealer
        self._growth = Growth()
        self._listening: Connection | None = None
        self._one_listens = asyncio.Lock()

    async def positions(self, group: str, log: str) -> Mapping[int, int]:
        """The sequence a group has dealt with, by bucket; buckets it never touched are left out."""
        owner = group.split(".", 1)[0]
        sql = f"SELECT bucket, sequence FROM {owner}.consumed WHERE group_name = $1 AND log = $2"  # noqa: S608 our own names
        with lost_as_transient():
            return {row["bucket"]: row["sequence"] for row in await self._pool.fetch(sql, group, log)}

    async def read(self, log: str, after: Mapping[int, int], *, topics: frozenset[str], limit: int) -> Slice:
        """About `limit` events of these topics behind the given sequences, fairly over the buckets."""
        with lost_as_transient():
            heads = await self._pool.fetch(f"SELECT bucket, sequence FROM {log}.event_head")  # noqa: S608 our own names
        grown = {row["bucket"]: row["sequence"] for row in heads if row["sequence"] > after.get(row["bucket"], 0)}
        if not grown:
            return Slice((), {})
        share = max(1, -(-limit // len(grown)))
        afters = [after.get(bucket, 0) for bucket in grown]
        with lost_as_transient():
            rows = await self._pool.fetch(
                _READ.format(log=log), list(grown), afters, list(grown.values()), sorted(topics), share
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
        seal = await self._sealer.of(raw.workspace)
        table = f"{raw.position.log}.event_log"
        plain = seal.open(raw.sealed, table=table, row=str(raw.event_id), column="sealed")
        try:
            return Delivery(raw.position, Envelope.model_validate_json(plain))
        except ValidationError as error:
            raise Malformed(f"An event of {table} is none that this version knows.", code="unknown_event") from error

    def growth(self) -> int:
        """A count that rises with every append that this reader was told of."""
        return self._growth.count

    async def wait(self, since: int, timeout_seconds: float) -> None:
        """Return when any log may have grown after `growth` was `since`, or after the time-out.

        Raises:
            Transient: Postgres does not answer.
        """
        async with self._one_listens:
            if self._listening is None or self._listening.is_closed():
                await self._listen()
        await self._growth.beyond(since, timeout_seconds)

    async def close(self) -> None:
        """Stop listening and give the connection back."""
        if self._listening is not None:
            await self._listening.remove_listener(GROWN_CHANNEL, self._heard)
            await self._pool.release(self._listening)
            self._listening = None

    def _heard(self, *_notice: object) -> None:
        self._growth.grew()

    async def _listen(self) -> None:
        with lost_as_transient():
            connection = await self._pool.acquire()
            await connection.add_listener(GROWN_CHANNEL, self._heard)
        self._listening = connection
        self._growth.grew()  # what was appended before we listened, nobody told us


def _raw(log: str, row: asyncpg.Record) -> RawDelivery:
    position = Position(log, row["bucket"], row["sequence"])
    return RawDelivery(position, row["workspace"], row["topic"], row["event_id"], row["sealed"])


def _sealed(seal: WorkspaceSeal, log: str, event: Envelope) -> bytes:
    plain = event.model_dump_json().encode()
    return seal.seal(plain, table=f"{log}.event_log", row=str(event.id), column="sealed")
