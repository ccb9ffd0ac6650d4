"""What the figures need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from libs.bus.kafka.message import LogRow, Message
from libs.contracts.events import Verdict
from services.insights.domain.lines import Line, RecordKey


class Lines(Protocol):
    """The line of every record that this process reads. It changes only while a message of the same bucket is taken."""

    def get(self, key: RecordKey) -> Line:
        """A record's line; empty when there is none."""
        ...

    def put(self, key: RecordKey, line: Line) -> None:
        """Keep a record's line in the place of the one before."""
        ...

    def drop(self, key: RecordKey) -> None:
        """Forget a record that has a line."""
        ...

    def items(self) -> Iterable[tuple[RecordKey, Line]]:
        """All of them, in no order."""
        ...

    def __len__(self) -> int:
        """How many there are."""
        ...


class Verdicts(Protocol):
    """Opens decisions as far as their verdict."""

    async def of(self, decided: LogRow) -> Verdict | None:
        """What was decided; None when its workspace was erased and nothing of it opens any more.

        Raises:
            Malformed: It does not open, or what is inside is no decision.
            Transient: The keys cannot be had right now.
        """
        ...


class Hears(Protocol):
    """Takes what is read from the topics."""

    async def begin(self, lines: Lines) -> None:
        """Begin again with these lines, and take what comes from now on into them."""
        ...

    async def take(self, topic: str, message: Message) -> None:
        """Take one message in. The same message may come again.

        Args:
            topic: In the registry's words.
            message: As it came.

        Raises:
            Malformed: It is no event of ours.
            Transient: It cannot be taken right now.
        """
        ...


class Visitors(Protocol):
    """Knows whose browser comes."""

    async def visitor(self, session: str) -> UUID:
        """The workspace that a browser's session opens.

        Raises:
            Rejected: `no_session`.
            Transient: That cannot be told right now.
        """
        ...
