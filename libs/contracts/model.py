"""How every published value behaves: frozen, closed, and exact about time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from libs.contracts.errors import Malformed


class Published(BaseModel):
    """A value of the published language. It never changes, and none is made with a field it does not know.

    Who reads what others wrote passes such a field over (`envelope.decoded`): they may be a version ahead.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


def _in_utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A moment, in UTC. Dates of documents are `date`, never this."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A content address, lower-case hex."""

Sentence = Annotated[str, Field(min_length=1, max_length=600)]
"""Codepoints, not bytes: what a book-keeper reads; a paragraph at most."""

Kept = TypeVar("Kept", bound=BaseModel)


def reread(kind: type[Kept], words: bytes, *, where: str) -> Kept:
    """A value from the JSON it was kept as.

    Args:
        kind: What it should be.
        words: The JSON.
        where: Table and column, for the person who reads the sentence.

    Raises:
        Malformed: `unreadable_row` when it is none: an older or newer version wrote it, or it was changed by hand.
    """
    try:
        return kind.model_validate_json(words)
    except ValidationError:
        raise Malformed(f"A value of {where} is not one that this version reads.", code="unreadable_row") from None
