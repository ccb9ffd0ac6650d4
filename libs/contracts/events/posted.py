"""qonto.posted.v1: one intended write at Qonto and its whole story."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from libs.contracts.model import Published, Sentence, Sha256


class PostIntended(Published):
    """We mean to upload this file once. On record before anything is sent.

    `posting` doubles as Qonto's idempotency key; `file_name` carries it too, so that an upload whose answer was lost
    can be found again after Qonto has forgotten the key.
    """

    type: Literal["PostIntended"] = "PostIntended"
    posting: UUID
    document_sha256: Sha256
    file_name: str
    generation: Annotated[int, Field(ge=1)]


class PostSent(Published):
    """From here on Qonto may have it. On record before the request leaves."""

    type: Literal["PostSent"] = "PostSent"
    posting: UUID
    attempt: Annotated[int, Field(ge=1)]


class PostSettled(Published):
    """Qonto has it, once. `found` says how we know: its answer, or a look after the answer was lost."""

    type: Literal["PostSettled"] = "PostSettled"
    posting: UUID
    invoice_id: str
    attachment_id: str | None
    found: Literal["answer", "look"]


class PostRejected(Published):
    """It will not be posted as it is: Qonto or our own limits refused the file. A person decides."""

    type: Literal["PostRejected"] = "PostRejected"
    posting: UUID
    code: str
    sentence: Sentence


class PostUnknown(Published):
    """No answer came. We look before we send again."""

    type: Literal["PostUnknown"] = "PostUnknown"
    posting: UUID
    sentence: Sentence


class PostWithdrawn(Published):
    """The bill changed its mind before anything was sent; nothing was."""

    type: Literal["PostWithdrawn"] = "PostWithdrawn"
    posting: UUID
    sentence: Sentence


class FieldDifference(Published):
    """One field that Qonto read otherwise than Xero has it."""

    field: str
    ours: str | None
    theirs: str | None

    def in_words(self) -> str:
        """The difference as a book-keeper reads it: `due date 2026-11-11 in Xero, 2026-11-12 in Qonto`."""
        name = self.field.replace("_", " ")
        return f"{name} {self.ours or 'missing'} in Xero, {self.theirs or 'missing'} in Qonto"


class PostVerified(Published):
    """Qonto read from the file what Xero has, in every field that both know; the total is one of them."""

    type: Literal["PostVerified"] = "PostVerified"
    posting: UUID
    invoice_id: str


class PostDiffers(Published):
    """Qonto read something else from the file than Xero has. Neither is changed; a person is told."""

    type: Literal["PostDiffers"] = "PostDiffers"
    posting: UUID
    invoice_id: str
    differences: tuple[FieldDifference, ...]


class PostUnchecked(Published):
    """Qonto has the document, and what it read there could not be compared. A person compares it by eye.

    `code` is `not_read` when Qonto did not say in time what it read, and `not_compared` when it read no total.
    """

    type: Literal["PostUnchecked"] = "PostUnchecked"
    posting: UUID
    invoice_id: str
    code: Literal["not_read", "not_compared"]
    sentence: Sentence
