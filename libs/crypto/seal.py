"""AES-256-GCM under a data key of a workspace and a purpose, bound to the place where the bytes lie.

A sealed value is `version (1) | key id (16) | nonce (12) | ciphertext and tag`. The associated data is the place:
workspace, table, row, column and key id. Bytes copied to another row, table or workspace do not open.

Notes:
    Nonces are random. One data key stays far below the 2**32 seals at which NIST SP 800-38D, section 8.3, asks for a
    new key: at a million records a workspace and ten seals a record that is 400 times less.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from libs.contracts.errors import Malformed

_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12
"""Bytes. The 96 bits that AES-GCM is made for. Source: NIST SP 800-38D, section 5.2.1.1."""

_HEADER_BYTES: Final = 1 + 16 + _NONCE_BYTES

BLIND_BYTES: Final = 16
"""Bytes of a blind index value. 128 bits: two different values of one workspace never meet by chance."""


@dataclass(frozen=True)
class DataKey:
    """A key of one workspace. The secret is 32 bytes and never shown."""

    id: UUID
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class WorkspaceKeys:
    """All that opens what one workspace has for one purpose.

    Attributes:
        workspace: Whose.
        current: The key that seals today.
        by_id: It, those that sealed before, and those that will seal once everybody can open what they seal.
        index_secret: What names are blinded with; None unless the purpose is `payloads`.
    """

    workspace: UUID
    current: DataKey
    by_id: Mapping[UUID, DataKey] = field(repr=False)
    index_secret: bytes | None = field(default=None, repr=False)


class WorkspaceOpening:
    """Opens for one workspace. Pure computation; the keys were fetched before.

    Args:
        workspace: Which one.
        by_id: Its keys.
    """

    def __init__(self, workspace: UUID, by_id: Mapping[UUID, DataKey]) -> None:
        self.workspace = workspace
        self._by_id = by_id
        self._named = str(workspace)
        self._ciphers: dict[UUID, AESGCM] = {}

    def knows_key_of(self, sealed: bytes) -> bool:
        """Whether the key that sealed these bytes is among the workspace's."""
        return len(sealed) > _HEADER_BYTES and UUID(bytes=sealed[1:17]) in self._by_id

    def open(self, sealed: bytes, *, table: str, row: str, column: str) -> bytes:
        """Open bytes sealed for this place.

        Raises:
            Malformed: `not_sealed_here` when the bytes were altered, moved, or sealed by a key that is gone.
        """
        key = self._by_id.get(UUID(bytes=sealed[1:17])) if len(sealed) > _HEADER_BYTES else None
        if key is None or sealed[:1] != _VERSION:
            raise Malformed(f"A value of {table}.{column} has no key that opens it.", code="not_sealed_here")
        place = self._place(table, row, column, key.id)
        try:
            return self._cipher(key).decrypt(sealed[17:_HEADER_BYTES], sealed[_HEADER_BYTES:], place)
        except InvalidTag:
            sentence = f"A value of {table}.{column} was altered or moved from where it was sealed."
            raise Malformed(sentence, code="not_sealed_here") from None

    def _cipher(self, key: DataKey) -> AESGCM:
        cipher = self._ciphers.get(key.id)
        if cipher is None:
            cipher = self._ciphers[key.id] = AESGCM(key.secret)
        return cipher

    def _place(self, table: str, row: str, column: str, key_id: UUID) -> bytes:
        return f"{self._named}\x1f{table}\x1f{row}\x1f{column}\x1f{key_id}".encode()


class WorkspaceSeal(WorkspaceOpening):
    """Seals for one workspace too, and blinds names in it."""

    def __init__(self, keys: WorkspaceKeys) -> None:
        super().__init__(keys.workspace, keys.by_id)
        self._keys = keys

    def seal(self, plaintext: bytes, *, table: str, row: str, column: str) -> bytes:
        """Seal bytes for one place."""
        key = self._keys.current
        nonce = os.urandom(_NONCE_BYTES)
        place = self._place(table, row, column, key.id)
        return _VERSION + key.id.bytes + nonce + self._cipher(key).encrypt(nonce, plaintext, place)

    def blind(self, label: str, value: str) -> bytes:
        """A keyed fingerprint of a value: equal values are found without being readable at rest.

        Raises:
            ValueError: The keys are not those of `payloads`, which alone blind.
        """
        if self._keys.index_secret is None:
            raise ValueError("names are blinded with the keys of payloads")
        return hmac.digest(self._keys.index_secret, f"{label}\x1f{value}".encode(), "sha256")[:BLIND_BYTES]
