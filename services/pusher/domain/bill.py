"""What is known of a bill: its newest decision and the document that came for it. Two halves that arrive in any order.

The halves meet by the generation of the decision: a document fetched for an earlier decision is not the answer to a
later one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from libs.contracts.entities import Document
from libs.contracts.events import DocumentFetched, DocumentMissing, ExpectedFields, MatchDecided
from services.pusher.domain.naming import EXTENSIONS, FILE_MAX_BYTES
from services.pusher.domain.posting import IN_QONTO, LIVE, Posting, State

SIGNED_OFF: Final = "signed_off"
"""The reason of a decision that a person made. Written by the matcher."""

MAYBE_IN_QONTO: Final = frozenset({"posted_twice", "outcome_unknown", "account_changed"})
"""Codes of rejected postings that Qonto has, or may have: nobody but a person may post such a bill again."""


@dataclass(frozen=True)
class Bill:
    """The two halves.

    Attributes:
        record: The bill.
        generation: Its newest decision; 0 before the first.
        post: Whether that decision is to post.
        by_person: Whether a person made it.
        expected: What Qonto should read from the document.
        document_generation: The decision that the document half belongs to; 0 before the first.
        document: The file that came.
        missing: Why none came.
        answered: The newest decision to post that was made a posting of, whatever became of it.
    """

    record: str
    generation: int = 0
    post: bool = False
    by_person: bool = False
    expected: ExpectedFields | None = None
    document_generation: int = 0
    document: Document | None = None
    missing: DocumentMissing | None = None
    answered: int = 0

    @property
    def waits(self) -> bool:
        """Whether its newest decision is to post, and no posting was made of it yet."""
        return self.post and self.answered < self.generation

    @property
    def complete(self) -> bool:
        """Whether it waits and both halves are here."""
        return self.waits and self.document_generation == self.generation

    def deciding(self, decided: MatchDecided) -> Bill:
        """The bill after a newer decision."""
        return replace(
            self,
            generation=decided.generation,
            post=decided.verdict == "post",
            by_person=decided.reason == SIGNED_OFF,
            expected=decided.expected,
        )

    def documented(self, arrived: DocumentFetched | DocumentMissing) -> Bill:
        """The bill after its document arrived, or will not."""
        if isinstance(arrived, DocumentFetched):
            document, missing = arrived.document, None
        else:
            document, missing = None, arrived
        return replace(self, document_generation=arrived.generation, document=document, missing=missing)

    def posting(self, posting: UUID, last_event: UUID) -> Posting:
        """The posting that its newest decision asks for, before anything is intended."""
        mine = self.document if self.document_generation == self.generation else None
        return Posting(
            posting, self.record, self.generation, State.WAITING, last_event, document=mine, expected=self.expected
        )


class Verdict(StrEnum):
    """What can be made of a complete bill now."""

    INTEND = "intend"
    WAIT = "wait"
    REFUSE = "refuse"


class Answer(NamedTuple):
    """The verdict, with code and sentence of a refusal."""

    verdict: Verdict
    code: str = ""
    sentence: str = ""


def answer(bill: Bill, earlier: Iterable[Posting]) -> Answer:
    """Decide what becomes of a complete bill, given its earlier postings.

    A live posting is waited for. What Qonto has, or may have, is posted again only when a person asked, and never the
    same document when Qonto has that for certain.
    """
    earlier = tuple(earlier)
    if any(posting.state in LIVE for posting in earlier):
        return Answer(Verdict.WAIT)
    refusal = _of_document(bill) or _of_earlier(bill, earlier)
    return Answer(Verdict.REFUSE, *refusal) if refusal else Answer(Verdict.INTEND)


def _of_document(bill: Bill) -> tuple[str, str] | None:
    if bill.missing is not None:
        return bill.missing.code, bill.missing.sentence
    if bill.document is None:
        return "no_document", "The bill has no document that could be posted."
    if bill.document.size_bytes > FILE_MAX_BYTES:
        return "document_too_large", "The document is larger than the 10 MB that Qonto takes."
    if bill.document.mime_type not in EXTENSIONS:
        return "document_type", "The document is neither a PDF nor a PNG or JPEG picture, and Qonto takes no other."
    return None


def _of_earlier(bill: Bill, earlier: tuple[Posting, ...]) -> tuple[str, str] | None:
    here = [posting for posting in earlier if posting.state in IN_QONTO or posting.code == "posted_twice"]
    if any(_same_document(bill, posting) for posting in here):
        return "already_posted", "Qonto has this very document of this bill already, so it was not posted again."
    if bill.by_person:
        return None
    if here:
        return (
            "already_posted",
            "Qonto has an earlier document of this bill; only a person can have another one posted.",
        )
    if any(posting.code in MAYBE_IN_QONTO for posting in earlier):
        sentence = "Qonto may have this bill from an earlier try; look there, then approve it if it is missing."
        return "maybe_posted", sentence
    return None


def _same_document(bill: Bill, posting: Posting) -> bool:
    mine, theirs = bill.document, posting.document
    return mine is not None and theirs is not None and mine.sha256 == theirs.sha256
