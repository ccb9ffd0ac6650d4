"""What every blob store refuses, in the same words."""

from __future__ import annotations

from libs.blobs.port import BLOB_MAX_BYTES
from libs.contracts.errors import Rejected


def refuse_beyond_limit(content: bytes) -> None:
    """Let bytes within the limit pass.

    Raises:
        Rejected: `document_too_large` beyond `BLOB_MAX_BYTES`.
    """
    if len(content) > BLOB_MAX_BYTES:
        sentence = f"The document has {len(content)} bytes; at most {BLOB_MAX_BYTES} are kept."
        raise Rejected(sentence, code="document_too_large")


def no_such_document() -> Rejected:
    """The refusal of an address that this workspace never put."""
    return Rejected("This workspace keeps no document of that address.", code="no_such_document")
