"""The twin in memory of the blob store."""

from __future__ import annotations

import hashlib
from uuid import UUID

from libs.blobs.refusals import no_such_document, refuse_beyond_limit


class MemoryBlobs:
    """Documents by workspace and address, as long as the process lives."""

    def __init__(self) -> None:
        self._documents: dict[tuple[UUID, str], bytes] = {}

    async def put(self, workspace: UUID, content: bytes) -> str:
        """Keep bytes and give their SHA-256 address.

        Raises:
            Rejected: `document_too_large` beyond `BLOB_MAX_BYTES`.
        """
        refuse_beyond_limit(content)
        address = hashlib.sha256(content).hexdigest()
        self._documents[workspace, address] = content
        return address

    async def get(self, workspace: UUID, sha256: str) -> bytes:
        """The bytes of an address.

        Raises:
            Rejected: `no_such_document` when this workspace never put it.
        """
        content = self._documents.get((workspace, sha256))
        if content is None:
            raise no_such_document()
        return content

    async def forget(self, workspace: UUID) -> None:
        """Delete every document of a workspace."""
        self._documents = {place: kept for place, kept in self._documents.items() if place[0] != workspace}
