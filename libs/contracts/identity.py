"""Names of things, derived and never drawn, so that doing a thing twice names it the same way twice."""

from __future__ import annotations

import hashlib
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

_NAMESPACE: Final = UUID("6f0a1f5c-8f0e-5a57-9d3b-3c1f2f7f5b11")

BUCKETS: Final = 64
"""Buckets of a log. A power of two that divides evenly over 1 to 64 partitions; changing it re-orders every log."""

RecordKind = Annotated[Literal["bill", "contact", "supplier_invoice"], Field(json_schema_extra={"x-grows": True})]
"""Said to grow: readers of other teams are told to pass over a kind that they do not know."""

Provider = Literal["xero", "qonto"]

KeyPurpose = Literal["tokens", "payloads", "documents"]
"""What a data key of a workspace seals: what providers and programs gave us to come in with; what events and rows say;
files. Whoever holds the key of one purpose opens nothing of another."""

UNKNOWN_ACCOUNT: Final = "unknown"
"""The account of a consent whose scopes do not let us ask, or do not yet: Qonto names an organization with its first
invoice only, so that it stays unknown until a person connects it again."""


def derived_id(*parts: object) -> UUID:
    """A UUIDv5 of the parts, joined so that no two different lists of parts read the same."""
    return UUID(bytes=derived_bytes(*parts))


def derived_bytes(*parts: object) -> bytes:
    """The 16 bytes of `derived_id`, in a third of the time.

    Source: https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-5.
    """
    words = [str(part) for part in parts]
    text = "\x1f".join(words)
    if "\x1b" in text or text.count("\x1f") >= len(words):
        text = "\x1f".join(word.replace("\x1b", "\x1b0").replace("\x1f", "\x1b1") for word in words)
    derived = bytearray(hashlib.sha1(_NAMESPACE.bytes + text.encode(), usedforsecurity=False).digest()[:16])
    derived[6] = derived[6] & 0x0F | 0x50
    derived[8] = derived[8] & 0x3F | 0x80
    return bytes(derived)


def record_of(provider: Provider, kind: RecordKind, provider_id: str) -> str:
    """The name of a provider's record inside a workspace: `xero/bill/2f4c...`."""
    return f"{provider}/{kind}/{provider_id}"


def provider_id_of(record: str) -> str:
    """The provider's own id inside a record's name."""
    return record.split("/", 2)[-1]


def key_of(workspace: UUID, record: str) -> str:
    """What orders events: all events of one record in one workspace keep their order."""
    return f"{workspace}/{record}"


def bucket_of(key: str) -> int:
    """The bucket, 0 to 63, of a key. Stable for ever: SHA-256, not the language's own hash."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % BUCKETS


def record_in_bucket(workspace: UUID, name: str, bucket: int) -> str:
    """A record name that lands in a chosen bucket, for what must be said in every bucket of a log.

    It tries `<name>/0`, `<name>/1` and so on; one in 64 lands, so a few hundred tries are the most it takes.
    """
    attempt = 0
    while bucket_of(key_of(workspace, f"{name}/{attempt}")) != bucket:
        attempt += 1
    return f"{name}/{attempt}"


def is_another_account(one: str, other: str) -> bool:
    """Whether two accounts differ, as far as both are known."""
    return one != other and UNKNOWN_ACCOUNT not in {one, other}
