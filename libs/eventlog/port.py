"""A service's own log of events.

Words:
    *log*: the events of one service, in 64 buckets; named after the service.
    *bucket*: what keeps order. All events of one key lie in one bucket.
    *sequence*: the place of an event in its bucket, from 1, without gaps. A reader that has seen sequence n has seen
    every event up to n: a row that commits late cannot appear behind it.
    *position*: (log, bucket, sequence) of the last event a group has dealt with; 0 before the first.
    *group*: one consumer in the sense of the design, such as `matcher.decide`; however many processes run it, each
    event is dealt with once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from libs.contracts.envelope import Envelope
from libs.database.port import Transaction


@dataclass(frozen=True)
class Position:
    """Where an event stands."""

    log: str
    bucket: int
    sequence: int


@dataclass(frozen=True)
class Delivery:
    """An event as a group receives it, with the position to remember."""

    position: Position
    envelope: Envelope


@dataclass(frozen=True)
class Consumed:
    """What a transaction has dealt with on behalf of a group."""

    group: str
    positions: tuple[Position, ...]


class EventLog(Protocol):
    """The writing side; used inside a transaction of the service that owns the log."""

    @property
    def name(self) -> str:
        """The log's name, which is the service's."""
        ...

    async def append(
        self, tx: Transaction, events: Sequence[Envelope], *, consumed: Consumed | None = None
    ) -> tuple[Position, ...]:
        """Write events and remember positions, both or neither.

        When every consumed position was seen before, this is a no-op and returns nothing. Events of one bucket keep
        the order they are given in.

        Raises:
            Stale: Some consumed positions were seen before and some were not: take `unseen` first, in this transaction.
            ValueError: An event belongs to another workspace than the transaction.
        """
        ...

    async def unseen(self, tx: Transaction, group: str, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Those deliveries that the group has not dealt with, and hold their buckets for this transaction.

        A bucket that another member of the group holds right now is left out: its deliveries come again.
        """
        ...


@dataclass(frozen=True)
class RawDelivery:
    """An event of a log before it is opened."""

    position: Position
    workspace: UUID
    topic: str
    event_id: UUID
    sealed: bytes


@dataclass(frozen=True)
class Slice:
    """A piece of a log.

    Attributes:
        deliveries: The events of the wanted topics, in order within each bucket.
        through: How far each bucket was read, whether or not its events were wanted.
    """

    deliveries: tuple[RawDelivery, ...]
    through: Mapping[int, int]


class LogReader(Protocol):
    """The reading side: what a transport needs to carry a log. It reads across workspaces, and only sealed payloads."""

    async def positions(self, group: str, log: str) -> Mapping[int, int]:
        """The sequence a group has dealt with, by bucket; buckets it never touched are left out."""
        ...

    async def read(self, log: str, after: Mapping[int, int], *, topics: frozenset[str], limit: int) -> Slice:
        """About `limit` events of these topics behind the given sequences, fairly over the buckets."""
        ...

    async def of_record(self, log: str, workspace: UUID, record: str) -> Sequence[RawDelivery]:
        """Every event of one record in a log, in order."""
        ...

    async def open(self, raw: RawDelivery) -> Delivery:
        """The event inside.

        Raises:
            Malformed: It does not open, or what is inside is no event of ours.
        """
        ...

    def growth(self, log: str) -> int:
        """A count that rises whenever a log may have grown; note it before reading, and hand it to `wait`."""
        ...

    async def wait(self, since: Mapping[str, int], timeout_seconds: float) -> bool:
        """Return True when one of these logs may have grown since its count was this; False after the time-out."""
        ...
