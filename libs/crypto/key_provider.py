"""The key-encryption key behind a port: it wraps data keys and never leaves its provider."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from libs.contracts.errors import Malformed, Rejected

_NONCE_BYTES: Final = 12
"""Bytes. The 96 bits that AES-GCM is made for. Source: NIST SP 800-38D, section 5.2.1.1."""

KEY_BYTES: Final = 32
"""Bytes. AES-256."""


class KeyProvider(Protocol):
    """Wraps and unwraps data keys. A file for one machine; a key service in production."""

    async def wrap(self, workspace: UUID, secret: bytes) -> bytes:
        """Encrypt a data key for storage, bound to its workspace."""
        ...

    async def unwrap(self, workspace: UUID, wrapped: bytes) -> bytes:
        """The data key again.

        Raises:
            Malformed: The bytes were altered, belong to another workspace, or were wrapped by another key.
        """
        ...


class MemoryKeyProvider:
    """A key-encryption key held in memory, for tests and as the working half of the file provider."""

    def __init__(self, key: bytes | None = None) -> None:
        self._cipher = AESGCM(key or os.urandom(KEY_BYTES))

    async def wrap(self, workspace: UUID, secret: bytes) -> bytes:
        """Encrypt a data key for storage, bound to its workspace."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, workspace.bytes)

    async def unwrap(self, workspace: UUID, wrapped: bytes) -> bytes:
        """The data key again.

        Raises:
            Malformed: The bytes were altered, belong to another workspace, or were wrapped by another key.
        """
        try:
            return self._cipher.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], workspace.bytes)
        except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
            sentence = "A workspace key does not open with the key-encryption key this process was given."
            raise Malformed(sentence, code="wrong_key_encryption_key") from None


class FileKeyProvider(MemoryKeyProvider):
    """A key-encryption key in a file that only its owner can read; made on first use.

    Losing the file loses every sealed byte. It belongs in a backup of its own, apart from the database's.

    Raises:
        Rejected: `key_file` when the file is not 32 bytes, or others may read it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(read_or_make_key(path))


def read_or_make_key(path: Path) -> bytes:
    """The 32 bytes of a key file, made with mode 0600 and flushed to disk when there is none.

    It is written beside and then linked to its name: whoever finds the file, after a crash or at the same time, finds
    it whole, and of two processes that make one both use the first.

    Raises:
        Rejected: `key_file` when the file is not 32 bytes, or others may read it.
    """
    if not path.exists():
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.") as beside:  # of mode 0600
            beside.write(os.urandom(KEY_BYTES))
            beside.flush()
            os.fsync(beside.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(beside.name, path)
        _flush_folder(path.parent)
    return _read_key(path)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_key(path: Path) -> bytes:
    found = path.stat()
    # An orchestrator shows a secret as another user's file, which the process may read for its group.
    others = 0o077 if found.st_uid == os.geteuid() else 0o037
    if found.st_mode & others:
        raise Rejected(f"The key file {path} can be read by others; run: chmod 600 {path}", code="key_file")
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise Rejected(f"The key file {path} holds {len(key)} bytes instead of {KEY_BYTES}.", code="key_file")
    return key
