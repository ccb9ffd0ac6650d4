"""The event log's twin in memory, over the tables of a MemoryDatabase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from libs.contracts.envelope import Envelope, decoded
from libs.contracts.errors import Stale
from libs.contracts.identity import bucket_of, key_of
from libs.database.memory import MemoryDatabase, shared_table_of
from libs.database.port import Transaction
from libs.eventlog.numbering import numbered, split_consumed
from libs.eventlog.port import Consumed, Delivery, Position, RawDelivery, Slice


class MemoryEventLog:
    """The writing side; transactions of the database run one after the other, so no bucket is ever held by another."""

    def __init__(self, name: str) -> None:
        self._name = name

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
        if consumed is not None and not self._move(tx, consumed):
            return ()
        if any(event.workspace != tx.workspace for event in events):
            raise ValueError("an event of one workspace in a transaction of another")
        heads = shared_table_of(tx, f"{self._name}.event_head")
        rows = shared_table_of(tx, f"{self._name}.event_log")
        known = shared_table_of(tx, f"{self._name}.event_ids")
        placed = numbered(self._name, events, dict(heads))
        for position, event in zip(placed, events, strict=True):
            if event.id in known:
                raise Stale("An event with this cause stands in the log already; read again what it changed.")
            known[event.id] = position
            heads[position.bucket] = position.sequence
            plain = event.model_dump_json().encode()
            rows[position.bucket, position.sequence] = RawDelivery(position, event.workspace, event.id, plain)
        return placed

    async def unseen(self, tx: Transaction, group: str, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Those deliveries that the group has not dealt with."""
        seen = shared_table_of(tx, f"{self._name}.consumed")
        return [d for d in deliveries if d.position.sequence > seen.get((group, d.position.lane), 0)]

    def _move(self, tx: Transaction, consumed: Consumed) -> bool:
        seen = shared_table_of(tx, f"{self._name}.consumed")
        known = {lane: at for (group, lane), at in seen.items() if group == consumed.group}
        moved = split_consumed(consumed, known)
        seen.update({(consumed.group, lane): at for lane, at in moved.items()})
        return bool(moved)


class MemoryLogReader:
    """The reading side, over what is committed."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._tables = database.tables

    async def positions(self, group: str, log: str, topic: str) -> Mapping[int, int]:
        """The sequence a group has dealt with, by bucket; buckets it never touched are left out."""
        rows = self._rows(f"{group.split('.', 1)[0]}.consumed")
        return {lane[2]: at for (name, lane), at in rows.items() if (name, *lane[:2]) == (group, log, topic)}

    async def read(self, log: str, after: Mapping[int, int], *, topic: str, limit: int) -> Slice:
        """About `limit` events of a topic behind the given sequences, fairly over the buckets."""
        heads, rows = self._rows(f"{log}.event_head"), self._rows(f"{log}.event_log")
        grown = {bucket: head for bucket, head in heads.items() if head > after.get(bucket, 0)}
        share = max(1, -(-limit // max(1, len(grown))))
        deliveries: list[RawDelivery] = []
        through: dict[int, int] = {}
        for bucket, head in sorted(grown.items()):
            taken = 0
            through[bucket] = head
            for sequence in range(after.get(bucket, 0) + 1, head + 1):
                raw = rows[bucket, sequence]
                if raw.position.topic == topic:
                    deliveries.append(raw)
                    taken += 1
                if taken == share:
                    through[bucket] = sequence
                    break
        return Slice(tuple(deliveries), through)

    async def of_record(self, log: str, workspace: UUID, record: str) -> Sequence[RawDelivery]:
        """Every event of one record in a log, in order."""
        bucket = bucket_of(key_of(workspace, record))
        rows = [raw for (in_bucket, _), raw in sorted(self._rows(f"{log}.event_log").items()) if in_bucket == bucket]
        return [raw for raw in rows if raw.workspace == workspace and (await self.open(raw)).envelope.record == record]

    async def open(self, raw: RawDelivery) -> Delivery:
        """The event inside.

        Raises:
            Malformed: What is inside is no event of ours.
        """
        return Delivery(raw.position, decoded(raw.sealed, where="a log"))

    def growth(self, log: str) -> int:
        """A count that rises with every commit, whichever log it was."""
        return self._tables.growth.of(log)

    async def wait(self, since: Mapping[str, int], timeout_seconds: float) -> bool:
        """Return True when anything was committed since; False after the time-out."""
        return await self._tables.growth.beyond(since, timeout_seconds)

    def _rows(self, name: str) -> dict[Any, Any]:
        return self._tables.rows.get((None, name), {})
