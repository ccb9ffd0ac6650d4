"""A consent under way: what leaves with the browser, what stays here, and what must fit when it returns. Pure.

Words:
    *visit*: what a sign-in link was made for; a command that waits on this machine made it, or nobody in particular.
    *state*: 43 random characters and the workspace; goes through the browser and the provider, comes back once.
    *verifier*: PKCE's secret (RFC 7636); stays here, sealed. Only its SHA-256 leaves, so that a stolen code is useless.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Final, TypeVar
from uuid import UUID

import orjson
from pydantic import TypeAdapter, ValidationError

from libs.contracts.errors import Malformed, Rejected
from libs.contracts.identity import Provider
from services.auth.domain.connection import Account, TokenPair

_VERIFIER_BYTES: Final = 48
"""Bytes; 64 characters of the 43 to 128 that RFC 7636, section 4.1, allows."""


@dataclass(frozen=True)
class PendingConsent:
    """What is kept, sealed, until the browser comes back.

    Attributes:
        provider: Where the browser was sent; a callback of another provider does not fit.
        verifier: PKCE's secret.
        scopes: What was asked for.
        return_to: A path of ours to go on to, or None for the page that says what was granted.
        loopback: Where a command waits to hear how it ended.
    """

    provider: Provider
    verifier: str = field(repr=False)
    scopes: tuple[str, ...]
    return_to: str | None
    loopback: str | None = None

    def to_bytes(self) -> bytes:
        """For storage."""
        return orjson.dumps(asdict(self))

    @classmethod
    def from_bytes(cls, stored: bytes) -> PendingConsent:
        """From storage.

        Raises:
            Malformed: The bytes are not of a pending consent.
        """
        return _read(_PENDING, stored)


@dataclass(frozen=True)
class Visit:
    """What a sign-in link was made for. Whoever makes one is trusted: it needs the installation's keys.

    Attributes:
        go_on: Where the browser goes once it is signed in; None is home.
        loopback: Where the command that made the link waits, such as `http://localhost:41001/`.
    """

    go_on: str | None = None
    loopback: str | None = None

    def to_bytes(self) -> bytes:
        """For storage."""
        return orjson.dumps(asdict(self))

    @classmethod
    def from_bytes(cls, stored: bytes) -> Visit:
        """From storage; of a link made for nothing in particular, nothing is stored.

        Raises:
            Malformed: The bytes are not of a visit.
        """
        return _read(_VISIT, stored) if stored else cls()


@dataclass(frozen=True)
class PendingChoice:
    """A consent that opens several accounts, until a person has said which one is meant. Kept sealed."""

    consent: UUID
    pending: PendingConsent
    pair: TokenPair
    accounts: tuple[Account, ...]

    def to_bytes(self) -> bytes:
        """For storage."""
        return orjson.dumps(asdict(self))

    @classmethod
    def from_bytes(cls, stored: bytes) -> PendingChoice:
        """From storage.

        Raises:
            Malformed: The bytes are not of a choice.
        """
        return _read(_CHOICE, stored)

    def named(self, account_id: str) -> Account:
        """The account that was chosen.

        Raises:
            Rejected: `choice` when it is none of those offered.
        """
        for account in self.accounts:
            if account.id == account_id:
                return account
        raise Rejected("This organisation was not among those to choose from. Start again.", code="choice")


_PENDING: Final = TypeAdapter(PendingConsent)
_VISIT: Final = TypeAdapter(Visit)
_CHOICE: Final = TypeAdapter(PendingChoice)

Kept = TypeVar("Kept")


def _read(form: TypeAdapter[Kept], stored: bytes) -> Kept:
    try:
        return form.validate_json(stored)
    except ValidationError:
        raise Malformed("A consent under way is not stored as one.", code="pending_consent") from None


def scopes_to_ask(
    always: Sequence[str], for_bank: Sequence[str], *, bank_matching: bool | None, before: Sequence[str]
) -> tuple[str, ...]:
    """What to ask a person for: as little as possible.

    Args:
        always: What nothing works without.
        for_bank: What bank matching needs besides.
        bank_matching: Whether the workspace wants it; None leaves it as it is.
        before: What was granted so far.
    """
    on = set(for_bank) <= set(before) if bank_matching is None else bank_matching
    return (*always, *for_bank) if on else tuple(always)


def missing_scopes(asked: Sequence[str], granted: Sequence[str]) -> tuple[str, ...]:
    """What was asked for and not granted. Lasting access shows in the refresh token; no provider must repeat it."""
    return tuple(scope for scope in asked if scope not in {*granted, "offline_access"})


def begin(
    provider: Provider, scopes: tuple[str, ...], return_to: str | None, *, loopback: str | None = None
) -> PendingConsent:
    """Start a consent.

    Raises:
        Rejected: `return_address` when it leads to somebody else's site.
    """
    return PendingConsent(provider, secrets.token_urlsafe(_VERIFIER_BYTES), scopes, _local(return_to), loopback)


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
