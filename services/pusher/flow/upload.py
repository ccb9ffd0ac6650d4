"""One request to Qonto and its outcome as a value."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from libs.blobs.port import BlobStore
from libs.contracts.errors import Malformed, OutcomeUnknown, Rejected, Transient, WellError
from libs.runtime.clock import Clock
from services.pusher.domain.posting import Posting
from services.pusher.domain.retrying import RetryRule
from services.pusher.ports import QontoWriter, Refused, Upload, Uploaded

_HELD_UP = "The pusher was held up for longer than its lease, so nothing was sent."
_TIMED_OUT = "Qonto did not answer in time. It is looked at before anything is sent again."


@dataclass(frozen=True)
class Lost:
    """The request may have had its effect."""

    sentence: str


@dataclass(frozen=True)
class NoEffect:
    """The request had no effect, and may have one later."""

    sentence: str
    retry_after_seconds: float | None = None


Outcome = Uploaded | Refused | Lost | NoEffect


class Uploader:
    """Uploads postings that are on record as sent."""

    def __init__(self, qonto: QontoWriter, blobs: BlobStore, clock: Clock, rule: RetryRule) -> None:
        self._qonto = qonto
        self._blobs = blobs
        self._clock = clock
        self._rule = rule

    async def upload(self, workspace: UUID, posting: Posting) -> Outcome:
        """Make the request. Every error of the port is an outcome here; none leaves."""
        try:
            upload = await self._prepared(workspace, posting)
            if not self._in_time(posting):
                return NoEffect(_HELD_UP)
            async with asyncio.timeout(self._rule.request_seconds):
                return await self._qonto.upload(workspace, upload)
        except TimeoutError:
            return Lost(_TIMED_OUT)
        except WellError as error:
            return _outcome_of(error)

    async def _prepared(self, workspace: UUID, posting: Posting) -> Upload:
        document, file_name, account = posting.document, posting.file_name, posting.account
        if document is None or file_name is None or account is None:
            raise ValueError("a posting without its document was sent")
        content = await self._blobs.get(workspace, document.sha256)
        return Upload(posting.id, account, file_name, content, document.mime_type)

    def _in_time(self, posting: Posting) -> bool:
        """Whether the lease outlasts a request: a pusher that slept must not send behind its successor's back."""
        lasts = timedelta(seconds=self._rule.request_seconds)
        return posting.due_at is not None and self._clock.now() + lasts <= posting.due_at


def _outcome_of(error: WellError) -> Outcome:
    match error:
        case OutcomeUnknown():
            return Lost(error.sentence)
        case Rejected() | Malformed():
            return Refused(error.code, error.sentence)
        case Transient():
            return NoEffect(error.sentence, error.retry_after_seconds)
        case _:  # ConsentLost and Stale: the account must be asked for anew before anything is sent
            return NoEffect(error.sentence)
