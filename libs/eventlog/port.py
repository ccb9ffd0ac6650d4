"""A service's own log of events.

Words:
    *log*: the events of one service, in 64 buckets; named after the service.
    *bucket*: what keeps order. All events of one key lie in one bucket.
    *sequence*: the place of an event in its bucket, from 1, without gaps. A reader that has seen sequence n has seen
    every event up to n: a row that commits late cannot appear behind it.
    *position*: where an event stands. A group remembers one for each topic and bucket, and has dealt with every event
    of that topic up to it: topics of one log may come by different ways and at different times.
    *group*: one consumer in the sense of the design, such as `matcher.decide`; however many processes run it, each
    event is dealt with once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias
from uuid import UUID

from libs.contracts.envelope import Envelope
from libs.database.port import Transaction

Lane: TypeAlias = tuple[str, str, int]
"""A log, a topic and a bucket: events of one lane are dealt with in order, and those of two may be in any."""


class Position(NamedTuple):
    """Where an event stands."""

    log: str
    topic: str
    bucket: int
    sequence: int

    @property
    def lane(self) -> Lane:
        """What it is in order with: log, topic and bucket."""
        return self.log, self.topic, self.bucket


class Delivery(NamedTuple):
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
        """Those deliveries that the group has not dealt with, and hold their lanes for this transaction.

        A lane that another member of the group holds right now is left out: its deliveries come again.
        """
        ...


class RawDelivery(NamedTuple):
    """An event of a log before it is opened."""

    position: Position
    workspace: UUID
    event_id: UUID
    sealed: bytes


@dataclass(frozen=True)
class Slice:
    """A piece of a log.

    Attributes:
        deliveries: The events of the wanted topic, in order within each bucket.
        through: How far each bucket was read, whether or not its events were wanted.
    """

    deliveries: tuple[RawDelivery, ...]
    through: Mapping[int, int]


class LogReader(Protocol):
    """The reading side: what a transport needs to carry a log. It reads across workspaces, and only sealed payloads."""

    async def positions(self, group: str, log: str, topic: str) -> Mapping[int, int]:
        """The sequence a group has dealt with, by bucket; buckets it never touched are left out."""
        ...

    async def read(self, log: str, after: Mapping[int, int], *, topic: str, limit: int) -> Slice:
        """About `limit` events of a topic behind the given sequences, fairly over the buckets."""
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
