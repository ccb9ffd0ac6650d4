"""Everything a person sees of one bill, built from events alone.

The events of one bill come from several logs. Within a log they keep their order; between logs they may overtake each
other. So each group of fields is set by the events of one log only, and the view comes out the same however the logs
are interleaved.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from libs.contracts.entities import Bill
from libs.contracts.envelope import Envelope
from libs.contracts.events import (
    Candidate,
    EntityMalformed,
    EntityNormalized,
    EntityWithdrawn,
    MatchDecided,
    PostDiffers,
    PostIntended,
    PostRejected,
    PostSent,
    PostSettled,
    PostUnchecked,
    PostUnknown,
    PostVerified,
    PostWithdrawn,
    SignedOff,
    Verdict,
)
from libs.contracts.model import Published

PostingState = Literal[
    "intended", "sent", "unknown", "settled", "rejected", "withdrawn", "verified", "differs", "unchecked"
]

SIGNED_OFF: Final = "signed_off"
"""The reason of a decision that a person made. Written by the matcher."""

_TO_COMPARE: Final = frozenset({"differs", "unchecked"})
"""States of a posting whose document lies at Qonto and is to be compared by a person."""


class Decision(Published):
    """The newest decision of a bill, as far as a person needs it."""

    id: UUID
    generation: int
    verdict: Verdict
    reason: str
    sentence: str
    confidence: float
    none_confidence: float
    chosen: tuple[str, ...]
    candidates: tuple[Candidate, ...]


class BillView(Published):
    """One bill.

    Attributes:
        record: Its name.
        bill: Its newest normalised form; None while only other events are known.
        version: The version that form was of.
        note: What a person should know of the record itself: withdrawn or malformed.
        decision: The newest decision.
        posting: The state of the newest posting.
        posting_generation: Which decision the posting follows; 0 before the first.
        posting_note: Why it was rejected, differs, is unchecked or unknown.
        invoice_id: The supplier invoice at Qonto, once posted.
        answered: The generation a person has answered; 0 before the first.
        changed_at: When the newest of its events occurred.
    """

    record: str
    bill: Bill | None = None
    version: int = 0
    note: str | None = None
    decision: Decision | None = None
    posting: PostingState | None = None
    posting_generation: int = 0
    posting_note: str | None = None
    invoice_id: str | None = None
    answered: int = 0
    changed_at: datetime

    @property
    def waits(self) -> bool:
        """Whether a person has something to decide."""
        if self.decision is None or self.answered >= self.decision.generation:
            return False
        return self.decision.verdict == "review" or self._is_objected

    @property
    def _is_objected(self) -> bool:
        """Whether its posting ended otherwise than was meant, and the decision in force does not settle that."""
        verdict = self.decision.verdict if self.decision else "post"
        if self.posting in _TO_COMPARE:
            return verdict in ("post", "link") and not self._is_compared
        return self.posting == "rejected" and verdict == "post"

    @property
    def _is_compared(self) -> bool:
        """Whether a person decided since the document was posted, and so has seen what lies at Qonto."""
        decision = self.decision
        return decision is not None and decision.reason == SIGNED_OFF and decision.generation > self.posting_generation

    @property
    def why(self) -> str:
        """The sentence that tells a person what this bill waits for, or how it stands."""
        if self.posting_note and (self._is_objected or self.posting == "unknown"):
            return self.posting_note
        if self.decision is not None:
            return self.decision.sentence
        return self.note or "Not decided yet."


_STATES: Final[dict[type, PostingState]] = {
    PostIntended: "intended",
    PostSent: "sent",
    PostUnknown: "unknown",
    PostSettled: "settled",
    PostRejected: "rejected",
    PostWithdrawn: "withdrawn",
    PostVerified: "verified",
    PostDiffers: "differs",
    PostUnchecked: "unchecked",
}


def seen(view: BillView | None, event: Envelope) -> BillView:
    """The view after an event; events of no interest only move `changed_at`."""
    view = view or BillView(record=event.record, changed_at=event.occurred_at)
    if isinstance(event.payload, SignedOff):
        return view.model_copy(update={"answered": max(view.answered, event.payload.generation)})
    changes = _of_record(view, event) or _of_decision(view, event) or _of_posting(view, event)
    changed_at = max(view.changed_at, event.occurred_at)
    return view.model_copy(update={**changes, "changed_at": changed_at})


def _of_record(view: BillView, event: Envelope) -> dict[str, object]:
    payload = event.payload
    if not isinstance(payload, EntityNormalized | EntityWithdrawn | EntityMalformed) or payload.version < view.version:
        return {}
    if isinstance(payload, EntityNormalized):
        return {"bill": payload.entity, "version": payload.version, "note": None}
    return {"version": payload.version, "note": payload.sentence}


def _of_decision(view: BillView, event: Envelope) -> dict[str, object]:
    payload = event.payload
    if not isinstance(payload, MatchDecided):
        return {}
    if view.decision is not None and payload.generation <= view.decision.generation:
        return {}
    decision = Decision(
        id=event.id,
        generation=payload.generation,
        verdict=payload.verdict,
        reason=payload.reason,
        sentence=payload.sentence,
        confidence=payload.confidence,
        none_confidence=payload.none_confidence,
        chosen=payload.chosen,
        candidates=payload.candidates,
    )
    return {"decision": decision}


def _of_posting(_view: BillView, event: Envelope) -> dict[str, object]:
    payload = event.payload
    state = _STATES.get(type(payload))
    if state is None:
        return {}
    changes: dict[str, object] = {"posting": state, "posting_note": _note_of(payload)}
    if isinstance(payload, PostIntended):
        changes["posting_generation"] = payload.generation
    if isinstance(payload, PostSettled):
        changes["invoice_id"] = payload.invoice_id
    return changes


def _note_of(payload: object) -> str | None:
    if isinstance(payload, PostDiffers):
        fields = "; ".join(difference.in_words() for difference in payload.differences)
        return f"Qonto read the document otherwise than Xero has it: {fields}."
    return getattr(payload, "sentence", None)
