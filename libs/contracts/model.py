"""How every published value behaves: frozen, closed, and exact about time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field


class Published(BaseModel):
    """A value of the published language. It never changes, and a field it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _in_utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A moment, in UTC. Dates of documents are `date`, never this."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A content address, lower-case hex."""

Sentence = Annotated[str, Field(min_length=1, max_length=600)]
"""Codepoints, not bytes: what a book-keeper reads; a paragraph at most."""
