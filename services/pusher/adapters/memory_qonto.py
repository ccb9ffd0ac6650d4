"""Qonto's twin in memory: one organization a workspace, with the traps that matter to a pusher.

It keeps an idempotency key for 30 minutes and then makes a second invoice of it, lists what was created, and never
deletes. What goes wrong is told to it, one `Mishap` a request.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from libs.contracts.errors import ConsentLost, OutcomeUnknown, Transient
from libs.contracts.identity import derived_id
from libs.runtime.clock import Clock
from services.pusher.domain.comparing import ReadBack
from services.pusher.domain.retrying import KEY_LIFE_SECONDS
from services.pusher.ports import Refused, Upload, Uploaded

STILL_RUNNING_SECONDS: Final = 100.0
"""Seconds after which a request whose client gave up may still have its effect; what `running_seconds` must outlast."""


class Mishap(StrEnum):
    """What can go wrong with one request."""

    NONE = "none"
    LOST_BEFORE = "the request is lost on the way"
    LOST_AFTER = "the answer is lost on the way"
    LATE = "the client gives up, the effect comes later"
    BUSY = "429"
    REFUSED = "200 with an error inside"
    CONSENT = "401 for good"


@dataclass(frozen=True)
class _Kept:
    at: datetime
    answer: Uploaded


@dataclass
class MemoryQonto:
    """One Qonto for every workspace.

    Attributes:
        clock: Its time.
        mishaps: What goes wrong with the next requests, in order; then nothing.
        invoices: What it holds, by workspace.
        requests: Uploads that reached it.
    """

    clock: Clock
    mishaps: deque[Mishap] = field(default_factory=deque)
    invoices: dict[UUID, list[tuple[datetime, ReadBack]]] = field(default_factory=dict)
    requests: int = 0
    _keys: dict[tuple[UUID, UUID], _Kept] = field(default_factory=dict)
    _late: list[tuple[datetime, UUID, Upload]] = field(default_factory=list)

    async def account(self, workspace: UUID) -> str:
        """The organization of a workspace."""
        return f"organization of {workspace}"

    async def upload(self, workspace: UUID, upload: Upload) -> Uploaded | Refused:
        """Upload one file, or meet the next mishap."""
        self._catch_up()
        mishap = self.mishaps.popleft() if self.mishaps else Mishap.NONE
        match mishap:
            case Mishap.LOST_BEFORE:
                raise OutcomeUnknown("The request was lost.")
            case Mishap.BUSY:
                raise Transient("Too many requests.", retry_after_seconds=3)
            case Mishap.CONSENT:
                raise ConsentLost("The consent was taken back.")
            case Mishap.REFUSED:
                return Refused("invalid", "Qonto refused the document (invalid).")
            case Mishap.LATE:
                self._late.append((self.clock.now() + timedelta(seconds=STILL_RUNNING_SECONDS), workspace, upload))
                raise OutcomeUnknown("Qonto did not answer in time.")
            case Mishap.LOST_AFTER:
                self._take_in(workspace, upload, self.clock.now())
                raise OutcomeUnknown("The answer was lost.")
            case Mishap.NONE:
                return self._take_in(workspace, upload, self.clock.now())

    async def created_since(self, workspace: UUID, account: str, since: datetime) -> list[ReadBack]:
        """Every invoice created since an instant."""
        self._catch_up()
        del account
        mishap = self.mishaps.popleft() if self.mishaps else Mishap.NONE
        if mishap is not Mishap.NONE:
            raise Transient("The list could not be read.")
        return [invoice for at, invoice in self.invoices.get(workspace, []) if at >= since]

    async def by_attachments(self, workspace: UUID, attachment_ids: Sequence[str]) -> list[ReadBack]:
        """The invoices of these files."""
        return [invoice for _, invoice in self.invoices.get(workspace, []) if invoice.attachment_id in attachment_ids]

    def analyze(self, workspace: UUID, reading: ReadBack) -> None:
        """Let Qonto read a document: `reading` takes the place of the invoice with its id."""
        self.invoices[workspace] = [
            (at, replace(reading, analyzed=True) if invoice.invoice_id == reading.invoice_id else invoice)
            for at, invoice in self.invoices[workspace]
        ]

    def _catch_up(self) -> None:
        """Let late requests have the effect that is due by now."""
        now = self.clock.now()
        due = [late for late in self._late if late[0] <= now]
        self._late = [late for late in self._late if late[0] > now]
        for at, workspace, upload in due:
            self._take_in(workspace, upload, at)

    def _take_in(self, workspace: UUID, upload: Upload, at: datetime) -> Uploaded:
        self.requests += 1
        kept = self._keys.get((workspace, upload.key))
        if kept is not None and at < kept.at + timedelta(seconds=KEY_LIFE_SECONDS):
            return kept.answer
        held = self.invoices.setdefault(workspace, [])
        invoice_id, attachment_id = (str(derived_id(word, workspace, len(held))) for word in ("invoice", "attachment"))
        held.append((at, ReadBack(invoice_id, attachment_id, upload.file_name)))
        answer = Uploaded(invoice_id, attachment_id)
        self._keys[workspace, upload.key] = _Kept(at, answer)
        return answer
