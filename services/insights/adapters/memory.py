"""The twins in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from libs.bus.kafka.message import LogRow
from libs.contracts.errors import Malformed
from libs.contracts.events import Verdict
from services.insights.domain.lines import Line, RecordKey


class MemoryLines:
    """Lines in a dictionary."""

    def __init__(self) -> None:
        self._lines: dict[RecordKey, Line] = {}

    def get(self, key: RecordKey) -> Line:
        """A record's line; empty when there is none."""
        return self._lines.get(key, ())

    def put(self, key: RecordKey, line: Line) -> None:
        """Keep a record's line."""
        self._lines[key] = line

    def drop(self, key: RecordKey) -> None:
        """Forget a record."""
        del self._lines[key]

    def items(self) -> Iterable[tuple[RecordKey, Line]]:
        """All of them."""
        return self._lines.items()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._lines)


class MemoryVerdicts:
    """Verdicts that are known by the ids of their events."""

    def __init__(self, known: Mapping[UUID, Verdict | None]) -> None:
        self._known = known

    async def of(self, decided: LogRow) -> Verdict | None:
        """What was decided."""
        if decided.raw.event_id not in self._known:
            raise Malformed("This decision does not open.", code="not_sealed_here")
        return self._known[decided.raw.event_id]
