"""Twins in memory of the two providers: lists ordered by change, whose rows shift while they are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.errors import Rejected, WellError
from libs.contracts.identity import RecordKind
from services.ingest.domain.attachments import Attachment
from services.ingest.ports import AttachedFile, Page


@dataclass(frozen=True)
class _Row:
    changed_at: datetime
    record: Mapping[str, Any]


@dataclass
class MemoryProvider:
    """One provider's lists, by workspace, as `XeroReader` reads them.

    Attributes:
        page_size: Rows a page.
        calls: Calls made so far, by what was asked for.
        fails: The errors that the next calls raise, in order.
    """

    page_size: int = 1000
    calls: Counter[str] = field(default_factory=Counter)
    fails: list[WellError] = field(default_factory=list)
    _rows: dict[tuple[UUID, RecordKind], dict[str, _Row]] = field(default_factory=dict)
    _attached: dict[tuple[UUID, str], dict[str, tuple[Attachment, bytes]]] = field(default_factory=dict)

    def change(
        self, workspace: UUID, kind: RecordKind, provider_id: str, record: Mapping[str, Any], *, at: datetime
    ) -> None:
        """Add a record, or let it be as given from `at` on, which moves it to its new place in the list."""
        self._rows.setdefault((workspace, kind), {})[provider_id] = _Row(at, record)

    def attach(self, workspace: UUID, bill_id: str, attachment: Attachment, content: bytes) -> None:
        """Attach a file to a bill."""
        self._attached.setdefault((workspace, bill_id), {})[attachment.attachment_id] = (attachment, content)

    async def records(self, workspace: UUID, kind: RecordKind, *, page: int, since: datetime | None) -> Page:
        """A page of a list, oldest change first."""
        self._called(kind)
        rows = sorted(self._rows.get((workspace, kind), {}).items(), key=lambda row: (row[1].changed_at, row[0]))
        asked = [row.record for _, row in rows if since is None or row.changed_at >= since]
        start = (page - 1) * self.page_size
        return Page(asked[start : start + self.page_size], page_count=-(-len(asked) // self.page_size))

    async def attachments(self, workspace: UUID, bill_id: str) -> Sequence[Attachment]:
        """What is attached to a bill."""
        self._called("attachments")
        return [attachment for attachment, _ in self._attached.get((workspace, bill_id), {}).values()]

    async def attached_file(self, workspace: UUID, bill_id: str, attachment_id: str) -> AttachedFile:
        """One attachment's bytes.

        Raises:
            Rejected: `not_found`.
        """
        self._called("attached_file")
        found = self._attached.get((workspace, bill_id), {}).get(attachment_id)
        if found is None:
            raise Rejected("There is no such attachment.", code="not_found")
        attachment, content = found
        return AttachedFile(attachment.file_name, content)

    def _called(self, what: str) -> None:
        self.calls[what] += 1
        if self.fails:
            raise self.fails.pop(0)
