"""The figures, folded from messages.

1. A message becomes a moment of its record: nearly all of it stands in the headers. Only a decision is opened, for its
   verdict.
2. The moment is folded into the record's line, which is kept. Nothing else is, so there is nothing that a crash could
   leave half done.
3. What the record added to the hours before is replaced by what it adds now, in memory.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from libs.bus.kafka.message import LogRow, Message, row_of
from libs.contracts.errors import Malformed, Transient
from libs.contracts.topics import BY_NAME
from libs.runtime.clock import Clock
from services.insights.domain.figures import Figures, Window, Windows
from services.insights.domain.lines import DECIDED, STEP_OF, Line, Moment, RecordKey, Step, folded
from services.insights.domain.tally import FORGOTTEN_AFTER_MS, HOUR_MS, tally_of
from services.insights.ports import Lines, Verdicts

TOPICS: Final = (
    "xero.raw.v1",
    "qonto.raw.v1",
    "entity.normalized.v1",
    "match.decided.v1",
    "match.signed_off.v1",
    "document.fetched.v1",
    "qonto.posted.v1",
)
"""What is read."""

RECORDS_MAX: Final = 500_000
"""Records whose lines are kept, about half a gigabyte: a fortnight of a thousand workspaces with thirty bills a day.
What is new beyond it is left out and counted until older ones are forgotten."""

_SWEPT: Final = 2
"""Lines looked at for each message, of its bucket: more than one, so that forgetting is faster than remembering."""

_AT_ONCE: Final = 1_000
"""Lines folded before others have their turn: some 20 ms."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Shown:
    """Figures of a workspace.

    Attributes:
        windows: The hours in which something happened.
        together: All of them.
        left_out: Messages left out since the start, of all workspaces, since there was no room for their records; while
            it is not 0 figures may be too low.
    """

    windows: list[Window]
    together: Figures
    left_out: int


class ReadModel:
    """The figures of all workspaces whose events this process reads.

    Attributes:
        left_out: Messages left out since there was no room for their records.
    """

    def __init__(self, *, verdicts: Verdicts, clock: Clock, records_max: int = RECORDS_MAX) -> None:
        self.left_out = 0
        self._verdicts = verdicts
        self._clock = clock
        self._records_max = records_max
        self._lines: Lines | None = None
        self._windows = Windows()
        self._swept: defaultdict[int, deque[RecordKey]] = defaultdict(deque)
        self._begun = 0

    @property
    def is_whole(self) -> bool:
        """Whether all that was kept is in the figures."""
        return self._lines is not None

    async def begin(self, lines: Lines) -> None:
        """Begin again with these lines; the last call counts."""
        self._lines = None
        self._begun = begun = self._begun + 1
        windows, swept = Windows(), defaultdict[int, deque[RecordKey]](deque)
        for nth, (key, line) in enumerate(list(lines.items())):
            windows.change(key.workspace, tally_of(()), tally_of(line))
            swept[key.bucket].append(key)
            if nth % _AT_ONCE == 0:
                await self._clock.sleep(0)
        if begun == self._begun:
            self._lines, self._windows, self._swept = lines, windows, swept

    async def take(self, topic: str, message: Message) -> None:
        """Take one message in.

        Raises:
            Malformed: It is no event of ours, or does not open.
            Transient: The keys cannot be had right now, or the lines are being read.
        """
        event = row_of(message, topic)
        position = event.raw.position
        if position.log != BY_NAME[topic].owner:
            raise Malformed(f"A message of {topic} says that it is of another log.", code="message_header")
        at_ms = (event.occurred_at - _EPOCH) // timedelta(milliseconds=1)
        step = await self._step_of(event) if at_ms >= self._forgotten_ms() else None
        if self._lines is None:
            raise Transient("The figures are being put together.")
        if step is not None:
            key = RecordKey(position.bucket, event.raw.workspace, event.record_key)
            self._fold(self._lines, key, Moment(at_ms, step, position.sequence))
        self._sweep(self._lines, position.bucket)

    def shown(self, workspace: UUID, hours: int) -> Shown:
        """The figures of the last hours of a workspace, the one that runs among them.

        Raises:
            Transient: They are being put together.
        """
        if self._lines is None:
            raise Transient("The figures are being put together. Ask again in a minute.")
        windows, together = self._windows.of(workspace, self._now_ms() // HOUR_MS - hours + 1)
        return Shown(windows, together, self.left_out)

    async def _step_of(self, event: LogRow) -> Step | None:
        if event.event_type != "MatchDecided":
            return STEP_OF.get(event.event_type)
        verdict = await self._verdicts.of(event)
        return None if verdict is None else DECIDED[verdict]

    def _fold(self, lines: Lines, key: RecordKey, moment: Moment) -> None:
        before = lines.get(key)
        if not before and len(lines) >= self._records_max:
            self.left_out += 1
            return
        after = folded(before, moment)
        if after == before:
            return
        if not before:
            self._swept[key.bucket].append(key)
        lines.put(key, after)
        self._windows.change(key.workspace, tally_of(before), tally_of(after))

    def _sweep(self, lines: Lines, bucket: int) -> None:
        """Look at the lines of the bucket in turn, and forget those of which nothing is shown any more."""
        turn = self._swept[bucket]
        for _ in range(min(_SWEPT, len(turn))):
            key = turn.popleft()
            line: Line = lines.get(key)
            if line[-1].at_ms < self._forgotten_ms():
                lines.drop(key)
                self._windows.change(key.workspace, tally_of(line), tally_of(()))
            else:
                turn.append(key)

    def _now_ms(self) -> int:
        return (self._clock.now() - _EPOCH) // timedelta(milliseconds=1)

    def _forgotten_ms(self) -> int:
        return self._now_ms() - FORGOTTEN_AFTER_MS
