"""The trail of a record, gathered from every log."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from libs.contracts.envelope import Envelope
from libs.eventlog.port import LogReader
from services.audit.domain.order import in_order_of_cause

LOGS: Final = ("auth", "ingest", "matcher", "console", "pusher")
"""Every log that says something about a record."""


class Trail:
    """Reads trails. It only ever reads."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader

    async def of_record(self, workspace: UUID, record: str) -> list[Envelope]:
        """Every event of a record, in order of cause; none when the workspace does not know it.

        Raises:
            Malformed: An event does not open: it was altered, or its key is gone.
        """
        raws = [raw for log in LOGS for raw in await self._reader.of_record(log, workspace, record)]
        return in_order_of_cause([(await self._reader.open(raw)).envelope for raw in raws])
