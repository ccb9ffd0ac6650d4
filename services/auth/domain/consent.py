"""A consent under way: what leaves with the browser, what stays here, and what must fit when it returns. Pure.

Words:
    *state*: 43 random characters and the workspace; goes through the browser and the provider, comes back once.
    *verifier*: PKCE's secret (RFC 7636); stays here, sealed. Only its SHA-256 leaves, so that a stolen code is useless.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import asdict, dataclass, field
from typing import Final

import orjson

from libs.contracts.errors import Malformed, Rejected
from libs.contracts.identity import Provider

_VERIFIER_BYTES: Final = 48
"""Bytes; 64 characters of the 43 to 128 that RFC 7636, section 4.1, allows."""


@dataclass(frozen=True)
class PendingConsent:
    """What is kept, sealed, until the browser comes back.

    Attributes:
        provider: Where the browser was sent; a callback of another provider does not fit.
        verifier: PKCE's secret.
        return_to: A path of ours to go on to, or None for the page that says what was granted.
    """

    provider: Provider
    verifier: str = field(repr=False)
    return_to: str | None

    def to_bytes(self) -> bytes:
        """For storage."""
        return orjson.dumps(asdict(self))

    @classmethod
    def from_bytes(cls, stored: bytes) -> PendingConsent:
        """From storage.

        Raises:
            Malformed: The bytes are not of a pending consent.
        """
        try:
            return cls(**orjson.loads(stored))
        except (TypeError, orjson.JSONDecodeError):
            raise Malformed("A consent under way is not stored as one.", code="pending_consent") from None


def begin(provider: Provider, return_to: str | None) -> PendingConsent:
    """Start a consent.

    Raises:
        Rejected: `return_address` when it leads to somebody else's site.
    """
    return PendingConsent(provider, secrets.token_urlsafe(_VERIFIER_BYTES), _local(return_to))


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _local(return_to: str | None) -> str | None:
    """A path, and nothing a browser could read as another host: `//host`, or a backslash it takes for a slash."""
    if return_to is None:
        return None
    own = return_to.startswith("/") and not return_to.startswith("//") and "\\" not in return_to
    if not own or not return_to.isprintable():
        raise Rejected("The address to return to is not one of Well's own.", code="return_address")
    return return_to
