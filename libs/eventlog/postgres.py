"""The event log in Postgres.

An append takes the rows of its buckets in `event_head`, in order of bucket, and holds them until the transaction ends.
So the sequences of a bucket are given out in the order in which they become visible: no gaps, and no row that commits
late behind one that a reader has seen. Two appends that touch the same buckets wait for each other and cannot block
each other for ever, since both take them in the same order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

import asyncpg

from libs.contracts.envelope import Envelope
from libs.contracts.errors import Stale
from libs.crypto.keyring import Sealer
from libs.crypto.opened import Opened
from libs.crypto.seal import WorkspaceSeal
from libs.database.port import Transaction
from libs.database.postgres import Connection, connection_of
from libs.eventlog.numbering import numbered, split_consumed
from libs.eventlog.port import Consumed, Delivery, Lane, Position

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
    INSERT INTO {log}.event_log
        (bucket, sequence, workspace, event_id, topic, event_type, occurred_at, record_key, sealed)
    SELECT bucket, sequence, $9, event_id, topic, event_type, occurred_at, record_key, sealed
    FROM unnest($1::smallint[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::bytea[],
                $8::bytea[]) AS new(bucket, sequence, event_id, topic, event_type, occurred_at, record_key, sealed)
)
SELECT pg_notify($10, $11)
"""

_HOLD_POSITIONS: Final = """
SELECT log, topic, bucket, sequence FROM {log}.consumed
WHERE group_name = $1 AND (log, topic, bucket) IN (SELECT * FROM unnest($2::text[], $3::text[], $4::smallint[]))
ORDER BY log, topic, bucket FOR UPDATE SKIP LOCKED
"""

_MAKE_POSITIONS: Final = """
INSERT INTO {log}.consumed (group_name, log, topic, bucket, sequence)
SELECT $1, log, topic, bucket, 0 FROM unnest($2::text[], $3::text[], $4::smallint[]) AS new(log, topic, bucket)
ON CONFLICT DO NOTHING
"""

_MOVE_POSITIONS: Final = """
UPDATE {log}.consumed AS known SET sequence = new.sequence
FROM unnest($2::text[], $3::text[], $4::smallint[], $5::bigint[]) AS new(log, topic, bucket, sequence)
WHERE known.group_name = $1 AND known.log = new.log AND known.topic = new.topic AND known.bucket = new.bucket
"""


class PostgresEventLog:
    """The writing side, inside a transaction of the service that owns the log.

    Args:
        name: The log's name, which is the service's.
        sealer: Seals what is written.
        opened: Shared with the reader of the same process, which then need not open what was written beside it.
    """

    def __init__(self, name: str, sealer: Sealer, opened: Opened[Envelope] | None = None) -> None:
        self._name = name
        self._sealer = sealer
        self._opened = opened or Opened()

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
        sealed = [_sealed(seal, self._name, event) for event in events]
        try:
            await connection.execute(
                _INSERT_EVENTS.format(log=self._name),
                [position.bucket for position in placed],
                [position.sequence for position in placed],
                [event.id for event in events],
                [event.topic for event in events],
                [event.payload.type for event in events],
                [event.occurred_at for event in events],
                [seal.blind("record", event.record) for event in events],
                sealed,
                tx.workspace,
                GROWN_CHANNEL,
                self._name,
            )
        except asyncpg.UniqueViolationError:
            raise Stale("An event with this cause stands in the log already; read again what it changed.") from None
        for written, event in zip(sealed, events, strict=True):
            self._opened.remember((tx.workspace, self._name, event.id), written, event)
        return placed

    async def unseen(self, tx: Transaction, group: str, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Those deliveries that the group has not dealt with, and hold their lanes for this transaction."""
        seen = await self._hold(connection_of(tx), group, {delivery.position.lane for delivery in deliveries})
        return [d for d in deliveries if d.position.lane in seen and d.position.sequence > seen[d.position.lane]]

    async def _grow(self, connection: Connection, events: Sequence[Envelope]) -> dict[int, int]:
        wanted: dict[int, int] = {}
        for event in events:
            wanted[event.bucket] = wanted.get(event.bucket, 0) + 1
        rows = await connection.fetch(_GROW_HEADS.format(log=self._name), list(wanted), list(wanted.values()))
        return {row["bucket"]: row["before"] for row in rows}

    async def _move(self, connection: Connection, consumed: Consumed) -> bool:
        lanes = {position.lane for position in consumed.positions}
        known = await self._hold(connection, consumed.group, lanes)
        if len(known) < len(lanes):
            raise Stale("Another member of the group holds these buckets; take `unseen` first.")
        moved = split_consumed(consumed, known)
        if not moved:
            return False
        sql = _MOVE_POSITIONS.format(log=self._name)
        await connection.execute(sql, consumed.group, *_columns(moved), list(moved.values()))
        return True

    async def _hold(self, connection: Connection, group: str, lanes: Collection[Lane]) -> dict[Lane, int]:
        """How far the group is in each lane; a lane that another transaction holds is left out."""
        columns = _columns(sorted(lanes))
        hold = _HOLD_POSITIONS.format(log=self._name)
        held = await connection.fetch(hold, group, *columns)
        if len(held) < len(lanes):  # new to the group, or held
            await connection.execute(_MAKE_POSITIONS.format(log=self._name), group, *columns)
            held = await connection.fetch(hold, group, *columns)
        return {(row["log"], row["topic"], row["bucket"]): row["sequence"] for row in held}


def _columns(lanes: Iterable[Lane]) -> tuple[list[str], list[str], list[int]]:
    lanes = list(lanes)
    return [log for log, _, _ in lanes], [topic for _, topic, _ in lanes], [bucket for _, _, bucket in lanes]


def _sealed(seal: WorkspaceSeal, log: str, event: Envelope) -> bytes:
    plain = event.model_dump_json().encode()
    return seal.seal(plain, table=f"{log}.event_log", row=str(event.id), column="sealed")
