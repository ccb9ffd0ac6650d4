"""One line of a trail in words a book-keeper reads. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from libs.contracts.envelope import Envelope

_VERDICTS: Final = {
    "link": "Linked",
    "post": "To be posted",
    "review": "A person is asked",
    "unmatched": "Nothing certain found",
    "ineligible": "Left alone",
}

_ANSWERS: Final = {"link": "it is that supplier invoice", "post": "post it as new", "never": "leave it alone"}

_WORDS: Final[dict[str, Callable[[Any], str]]] = {
    "RecordPulled": lambda e: f"Version {e.version} arrived from {e.provider.capitalize()}.",
    "EntityNormalized": lambda e: f"Version {e.version} was read.",
    "EntityWithdrawn": lambda e: e.sentence,
    "EntityMalformed": lambda e: e.sentence,
    "MatchDecided": lambda e: f"{_VERDICTS[e.verdict]}. {e.sentence}",
    "SignedOff": lambda e: f"{e.by} answered: {_ANSWERS[e.answer]}." + (f" “{e.note}”" if e.note else ""),
    "DocumentFetched": lambda e: f"The document is here: {e.document.size_bytes:,} bytes, {e.document.sha256[:12]}….",
    "DocumentMissing": lambda e: e.sentence,
    "PostIntended": lambda e: f"To be posted once, as {e.file_name}.",
    "PostSent": lambda e: f"Sent to Qonto, attempt {e.attempt}.",
    "PostSettled": lambda e: f"Qonto has it as {e.invoice_id}" + (".", ", found by looking.")[e.found == "look"],
    "PostRejected": lambda e: e.sentence,
    "PostUnknown": lambda e: e.sentence,
    "PostWithdrawn": lambda e: e.sentence,
    "PostVerified": lambda _: "Qonto read every field as Xero has it.",
    "PostDiffers": lambda e: "Qonto read otherwise: " + "; ".join(d.in_words() for d in e.differences) + ".",
    "PostUnchecked": lambda e: e.sentence,
    "KeyRotated": lambda e: f"A new key for {e.purpose}, which seals from {e.seals_from:%Y-%m-%d %H:%M} UTC on.",
    "WorkspaceErased": lambda e: f"The workspace {e.erased} was erased.",
    "Parked": lambda e: f"{e.group} could not handle it: {e.sentence}",
}


def sentence_of(event: Envelope) -> str:
    """What happened, in one line."""
    words = _WORDS.get(event.payload.type)
    return words(event.payload) if words else event.payload.type
