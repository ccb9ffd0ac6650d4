"""The key-encryption keys behind a port: they wrap data keys and never leave their provider."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
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

_FIRST_FORM: Final = b"\x01"
_FORM: Final = b"\x02"
_NUMBER_BYTES: Final = 2
"""Bytes: room for a new key-encryption key every day for 179 years."""

_HEAD_BYTES: Final = 1 + _NUMBER_BYTES


@dataclass(frozen=True)
class KeyPlace:
    """Where a wrapped data key lies.

    Wrapped for one place it opens at no other: not as another workspace's, and not as a key of another purpose, for
    which more services may ask.
    """

    workspace: UUID
    purpose: str
    key: UUID

    @property
    def bound(self) -> bytes:
        """What a key-encryption key authenticates beside the data key."""
        return f"{self.workspace}\x1f{self.purpose}\x1f{self.key}".encode()


class KeyProvider(Protocol):
    """Wraps and unwraps data keys. A file for one machine; a key service in production."""

    async def wrap(self, place: KeyPlace, secret: bytes) -> bytes:
        """Encrypt a data key for storage, with the newest key-encryption key, bound to its place.

        Raises:
            Transient: The provider does not answer.
        """
        ...

    async def unwrap(self, place: KeyPlace, wrapped: bytes) -> bytes:
        """The data key again.

        Raises:
            Malformed: `wrong_key_encryption_key` when the bytes were altered, lay elsewhere, or were wrapped by a
                key-encryption key that is not there.
            Transient: The provider does not answer.
        """
        ...

    async def rewrap(self, place: KeyPlace, wrapped: bytes) -> bytes:
        """The same data key under the newest key-encryption key; the very same bytes when they are under it already.

        Raises:
            Malformed, Transient: As `unwrap` says.
        """
        ...

    async def rotate(self) -> None:
        """Make a new key-encryption key, which wraps from now on. Those before it still unwrap.

        Raises:
            Rejected: `key_file` when a file cannot be used; as a key service says.
            Transient: The provider does not answer.
        """
        ...


class MemoryKeyProvider:
    """Key-encryption keys held in memory, numbered from 1, for tests and as the working half of the file provider.

    What it wraps is `form (1) | number of the key-encryption key (2) | nonce (12) | ciphertext and tag`. In the first
    form no number follows: it is of the first key, and authenticates the workspace alone.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._ciphers = [AESGCM(key or os.urandom(KEY_BYTES))]

    async def wrap(self, place: KeyPlace, secret: bytes) -> bytes:
        """Encrypt a data key for storage, with the newest key-encryption key, bound to its place."""
        ciphers = self._known()
        nonce = os.urandom(_NONCE_BYTES)
        head = _FORM + len(ciphers).to_bytes(_NUMBER_BYTES, "big")
        return head + nonce + ciphers[-1].encrypt(nonce, secret, head + place.bound)

    async def unwrap(self, place: KeyPlace, wrapped: bytes) -> bytes:
        """The data key again.

        Raises:
            Malformed: `wrong_key_encryption_key`.
        """
        number, body, bound = _read(place, wrapped)
        ciphers = self._known()
        try:
            return ciphers[number - 1].decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], bound)
        except (InvalidTag, ValueError, IndexError):  # ValueError: too short to hold a nonce
            sentence = (
                "A workspace key does not open with the key-encryption keys this process was given. "
                "Bring back this installation's own key file, and those numbered beside it, from a backup."
            )
            raise Malformed(sentence, code="wrong_key_encryption_key") from None

    async def rewrap(self, place: KeyPlace, wrapped: bytes) -> bytes:
        """The same data key under the newest key-encryption key; the very same bytes when they are under it already.

        Raises:
            Malformed: `wrong_key_encryption_key`.
        """
        secret = await self.unwrap(place, wrapped)
        newest = _FORM + len(self._known()).to_bytes(_NUMBER_BYTES, "big")
        return wrapped if wrapped.startswith(newest) else await self.wrap(place, secret)

    async def rotate(self) -> None:
        """Make a new key-encryption key, which wraps from now on."""
        self._ciphers.append(AESGCM(os.urandom(KEY_BYTES)))

    def _known(self) -> Sequence[AESGCM]:
        return self._ciphers


class FileKeyProvider(MemoryKeyProvider):
    """Key-encryption keys in files that only their owner can read: `key`, made on first use, then `key.2`, `key.3` ...

    Losing one loses every byte sealed under what it wrapped. They belong in a backup of their own, apart from the
    database's. A file that another process adds is seen at the next use.

    Raises:
        Rejected: `key_file` when a file is not 32 bytes, or others may read it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(read_or_make_key(path))
        self._path = path

    async def rotate(self) -> None:
        """Make the next file.

        Raises:
            Rejected: `key_file` when it cannot be written here, or is not as it should be.
        """
        try:
            read_or_make_key(self._numbered(len(self._known()) + 1))
        except OSError as error:
            sentence = f"No key file can be written beside {self._path} ({error.strerror})."
            raise Rejected(sentence, code="key_file") from error

    def _known(self) -> Sequence[AESGCM]:
        while (beside := self._numbered(len(self._ciphers) + 1)).exists():
            self._ciphers.append(AESGCM(_read_key(beside)))
        return self._ciphers

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _read(place: KeyPlace, wrapped: bytes) -> tuple[int, bytes, bytes]:
    """Which key-encryption key wrapped it, what follows, and what it is bound to."""
    if wrapped[:1] == _FIRST_FORM:
        return 1, wrapped[1:], place.workspace.bytes
    head, body = wrapped[:_HEAD_BYTES], wrapped[_HEAD_BYTES:]
    return int.from_bytes(head[1:], "big"), body, head + place.bound


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
        sentence = f"The key file {path} holds {len(key)} bytes instead of {KEY_BYTES}. Bring it back from a backup."
        raise Rejected(sentence, code="key_file")
    return key
