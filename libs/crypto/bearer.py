"""Opaque tokens of our own: they name their workspace in the open and prove the right to it by chance alone.

A token reads `<workspace>.<secret>`. Only its SHA-256 is kept, in a table closed by workspace: the workspace it names
decides which rows can be looked at, and the hash whether it is among them. Naming another workspace opens nothing.

Notes:
    The secret has 256 bits of chance, so a plain SHA-256 is enough to keep it; a slow hash protects guessable secrets.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

SECRET_BYTES: Final = 32
"""Bytes. Twice the 128 bits that RFC 6749, section 10.10, demands; 43 characters in the URL alphabet."""

INSTALLATION: Final = UUID(int=0)
"""The workspace of rows that belong to no customer yet: registered clients, requests before anybody signed in."""

_LONGEST_CHARACTERS: Final = 128
_WORKSPACE_CHARACTERS: Final = 32
"""Characters: of a text that is read as a token at all, with much to spare; and of a UUID in hexadecimal."""


@dataclass(frozen=True)
class Bearer:
    """A token and what is kept of it."""

    workspace: UUID
    text: str = field(repr=False)

    @property
    def sha256(self) -> bytes:
        """What a table keeps."""
        return hashlib.sha256(self.text.encode()).digest()


def mint(workspace: UUID) -> Bearer:
    """A new token of a workspace."""
    return Bearer(workspace, f"{workspace.hex}.{secrets.token_urlsafe(SECRET_BYTES)}")


def parse(text: str) -> Bearer | None:
    """A token as somebody presents it; None when it cannot be one of ours. It proves nothing until it is found."""
    workspace, dot, secret = text.partition(".")
    if (
        not text.isascii()
        or len(text) > _LONGEST_CHARACTERS
        or not dot
        or not secret
        or len(workspace) != _WORKSPACE_CHARACTERS
    ):
        return None
    try:
        return Bearer(UUID(hex=workspace), text)
    except ValueError:
        return None
