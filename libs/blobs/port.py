"""The blob store: bytes by content address, sealed under the workspace's key."""

from __future__ import annotations

from typing import Final, Protocol
from uuid import UUID

BLOB_MAX_BYTES: Final = 26 * 1024 * 1024
"""Bytes. Xero keeps attachments up to 25 MB; one more for the seal. Source: developer.xero.com, Attachments."""


class BlobStore(Protocol):
    """Keeps documents. Putting the same bytes twice keeps them once."""

    async def put(self, workspace: UUID, content: bytes) -> str:
        """Keep bytes, durable when this returns, and give their SHA-256 address.

        Raises:
            Rejected: `document_too_large` beyond `BLOB_MAX_BYTES`.
        """
        ...

    async def get(self, workspace: UUID, sha256: str) -> bytes:
        """The bytes of an address, checked against it.

        Raises:
            Rejected: `no_such_document` when this workspace never put it.
            Malformed: The stored bytes were altered.
        """
        ...

    async def forget(self, workspace: UUID) -> None:
        """Delete every document of a workspace that was erased; of one that has none, nothing.

        Raises:
            Transient: The disk refuses; what was deleted is, and the rest may be asked for again.
        """
        ...
