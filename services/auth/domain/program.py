"""A program that a person allowed to read Xero through the MCP server. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.auth.domain.plain_words import plain_words

READ_MARKED: Final = timedelta(hours=1)
"""How exactly it is known when a program last read: a person wants the day, and a row is not written at every call."""

UNUSED: Final = timedelta(days=31)
"""A program that has not read for so long cannot any more: the last token that it could renew lasts 30 days."""

PROGRAMS_MAX: Final = 100
"""Programs of a workspace. A person has a handful; more is a loop."""


@dataclass(frozen=True)
class Program:
    """What it said of itself, which proves nothing, and what became of it.

    Attributes:
        consent: All its tokens come from this one consent.
        client_name: As it registered itself.
        redirect_host: Where the answer went.
        document_host: The host that vouches for it; empty for one that only registered itself.
        scopes: What it may read.
        allowed_at: When a person said yes.
        read_at: When it last read, give or take `READ_MARKED`; before it has, when it was allowed.
    """

    consent: UUID
    client_name: str
    redirect_host: str
    document_host: str
    scopes: tuple[str, ...]
    allowed_at: datetime
    read_at: datetime


def told(program: Program) -> dict[str, object]:
    """A program as pages and commands tell of it to other programs; days are those of UTC."""
    return {
        "id": str(program.consent),
        "name": program.client_name,
        "redirect_host": program.redirect_host,
        "document_host": program.document_host,
        "allows": plain_words(program.scopes),
        "allowed_on": program.allowed_at.date().isoformat(),
        "read_on": program.read_at.date().isoformat(),
    }
