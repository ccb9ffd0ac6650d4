"""Each move of a posting together with the event that tells it. One is never without the other.

An event's cause is the event before it in the posting's story, unless something from outside led to it; so the same
story told twice has the same ids, and no two events of one record share a cause and a type.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.events import (
    Event,
    FieldDifference,
    PostDiffers,
    PostIntended,
    PostRejected,
    PostSent,
    PostSettled,
    PostUnchecked,
    PostUnknown,
    PostVerified,
    PostWithdrawn,
)
from services.pusher.domain.posting import Move, Posting, moved


class Told(NamedTuple):
    """A posting as it stands now, and the event that says so."""

    posting: Posting
    event: Envelope


class Teller:
    """Tells the stories of one workspace at one instant."""

    def __init__(self, workspace: UUID, now: datetime) -> None:
        self._workspace = workspace
        self.now = now

    def intended(self, waiting: Posting, sha256: str, file_name: str, *, cause: UUID) -> Told:
        """The document is here: it shall be uploaded, at once."""
        event = PostIntended(
            posting=waiting.id, document_sha256=sha256, file_name=file_name, generation=waiting.generation
        )
        return self._told(moved(waiting, Move.INTEND, file_name=file_name, due_at=self.now), event, cause)

    def sent(self, posting: Posting, account: str, *, lease_until: datetime) -> Told:
        """A request is about to leave; until `lease_until` nobody else takes the posting."""
        posting = moved(
            posting,
            Move.SEND,
            account=account,
            attempt=posting.attempt + 1,
            first_sent_at=posting.first_sent_at or self.now,
            last_sent_at=self.now,
            due_at=lease_until,
        )
        return self._told(posting, PostSent(posting=posting.id, attempt=posting.attempt))

    def settled(
        self, posting: Posting, invoice_id: str, attachment_id: str | None, found: Literal["answer", "look"]
    ) -> Told:
        """Qonto has it, once. It is due at once for reading back."""
        event = PostSettled(posting=posting.id, invoice_id=invoice_id, attachment_id=attachment_id, found=found)
        posting = moved(
            posting,
            Move.SETTLE,
            invoice_id=invoice_id,
            attachment_id=attachment_id,
            due_at=self.now,
            looks=0,
            code=None,
            sentence=None,
        )
        return self._told(posting, event)

    def put_back(self, posting: Posting, sentence: str, *, due_at: datetime) -> Posting:
        """The request had no effect and is made again later. Nothing is told: the intent still holds."""
        return moved(posting, Move.PUT_BACK, code="waits", sentence=sentence, due_at=due_at)

    def rejected(self, posting: Posting, code: str, sentence: str, *, cause: UUID | None = None) -> Told:
        """It will not be posted as it is."""
        event = PostRejected(posting=posting.id, code=code, sentence=sentence)
        return self._told(
            moved(posting, Move.REJECT, code=code, sentence=sentence, due_at=None), event, cause or posting.last_event
        )

    def lost(self, posting: Posting, sentence: str, *, due_at: datetime, answers: int = 1) -> Told:
        """Qonto may have it, and is looked at when it is due. `answers` were lost now; 0 if only older ones."""
        event = PostUnknown(posting=posting.id, sentence=sentence)
        posting = moved(
            posting, Move.LOSE, lost=posting.lost + answers, looks=0, code="no_answer", sentence=sentence, due_at=due_at
        )
        return self._told(posting, event)

    def withdrawn(self, posting: Posting, code: str, sentence: str, *, cause: UUID | None = None) -> Told:
        """The bill changed its mind, and Qonto does not have it."""
        event = PostWithdrawn(posting=posting.id, sentence=sentence)
        return self._told(
            moved(posting, Move.WITHDRAW, code=code, sentence=sentence, due_at=None), event, cause or posting.last_event
        )

    def verified(self, posting: Posting, invoice_id: str) -> Told:
        """Every field that both sides know is alike."""
        posting = moved(posting, Move.VERIFY, due_at=None, code=None, sentence=None)
        return self._told(posting, PostVerified(posting=posting.id, invoice_id=invoice_id))

    def differs(self, posting: Posting, invoice_id: str, differences: tuple[FieldDifference, ...]) -> Told:
        """Some fields differ; a person is told which."""
        words = "; ".join(difference.in_words() for difference in differences)
        sentence = f"Qonto read something else from the document than Xero has: {words}."
        posting = moved(posting, Move.DIFFER, due_at=None, code="differs", sentence=sentence)
        return self._told(posting, PostDiffers(posting=posting.id, invoice_id=invoice_id, differences=differences))

    def unchecked(
        self, posting: Posting, invoice_id: str, code: Literal["not_read", "not_compared"], sentence: str
    ) -> Told:
        """Nothing could be compared; a person is told to do it."""
        event = PostUnchecked(posting=posting.id, invoice_id=invoice_id, code=code, sentence=sentence)
        return self._told(moved(posting, Move.LEAVE_UNCHECKED, due_at=None, code=code, sentence=sentence), event)

    def _told(self, posting: Posting, payload: Event, cause: UUID | None = None) -> Told:
        event = enveloped(
            payload,
            workspace=self._workspace,
            record=posting.record,
            cause=cause or posting.last_event,
            occurred_at=self.now,
        )
        return Told(replace(posting, last_event=event.id), event)
