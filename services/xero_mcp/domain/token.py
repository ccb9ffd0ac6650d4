"""What an MCP client holds: requests, codes, access and refresh tokens, and how long each is good. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

SCOPE: Final = "xero.read"
"""The one scope there is. Nothing that writes can be asked for, since there is no word for it."""

TokenKind = Literal["request", "code", "access", "refresh"]

LASTS: Final[dict[TokenKind, timedelta]] = {
    "request": timedelta(minutes=30),
    "code": timedelta(seconds=60),
    "access": timedelta(minutes=5),
    "refresh": timedelta(days=30),
}
"""A request may include a visit to Xero; a code only crosses a redirect; an access token that leaks is good for
minutes; a program that was not used for a month asks again."""

REUSE_GRACE: Final = timedelta(minutes=10)
"""How long a spent refresh token may come back from a client that was killed before it stored our answer, as long as
nothing of that answer was used. Any other return means that two hold it, one of whom is a thief, and the whole family
ends (OAuth 2.1, section 4.3.1). Xero gives 30 minutes, and does not look whether its answer was used."""

SPENT_KEPT: Final = timedelta(days=1)
"""How long a spent refresh token is remembered, to notice that it comes back. After that it is simply unknown."""

LIVE_REQUESTS: Final = 1000
"""Requests that wait for a person at most, over all clients. More is an attack, and the oldest go: if the newest were
refused, whoever asks a thousand times would hold up everybody for half an hour."""


@dataclass(frozen=True)
class Token:
    """A token as it is kept.

    Attributes:
        family: All tokens that came from one consent.
        content: JSON: the scopes, the resource, and for a request or a code the client's own parameters.
        spent_at: When a request, a code or a refresh token was used up; for an access token, when it was first used.
        parent: The SHA-256 of the code or refresh token that bought it.
    """

    kind: TokenKind
    sha256: bytes = field(repr=False)
    family: UUID
    client: str
    content: bytes = field(repr=False)
    expires_at: datetime
    spent_at: datetime | None = None
    parent: bytes | None = field(default=None, repr=False)


def comes_back_stolen(token: Token, *, answer_used: bool, now: datetime) -> bool:
    """Whether a spent code or refresh token is presented by somebody who should not have it.

    Args:
        token: What comes back.
        answer_used: Whether anything that it bought was used since.
        now: The instant.
    """
    if token.spent_at is None:
        return False
    return token.kind == "code" or answer_used or now - token.spent_at > REUSE_GRACE
