"""What a posting is called, at Qonto and here. The same intent always has the same names."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from uuid import UUID

from libs.contracts.identity import derived_id
from libs.contracts.upload_name import upload_name

NUMBER_CHARACTERS_MAX: Final = 40
"""Characters of the bill's number in a file name. Names stay below 64, which every mail program shows."""

EXTENSIONS: Final = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}
"""What Qonto takes, by type. Source: docs.qonto.com, attachments: JPEG, PNG, PDF."""

FILE_MAX_BYTES: Final = 10 * 1000 * 1000
"""Bytes. Source: docs.qonto.com, bulk-upload-supplier-invoices: max 10 MB a file; read as decimal, the stricter."""


def posting_id(workspace: UUID, record: str, sha256: str | None, generation: int) -> UUID:
    """The name of a posting: of this document for this bill, by this decision.

    The document is part of it, so that one key never stands for two files: Qonto would answer the second upload with
    the first invoice, without looking at the file. Source: docs.qonto.com, idempotency.
    """
    return derived_id("posting", workspace, record, sha256, generation)


def file_name_of(posting: UUID, number: str | None, mime_type: str) -> str:
    """The name of the upload: the bill's number as far as a file name can hold it, then the posting's token.

    Raises:
        KeyError: Qonto takes no files of this type; it should have been refused before.
    """
    return upload_name(_readable(number), posting, EXTENSIONS[mime_type])


def _readable(number: str | None) -> str:
    ascii_only = unicodedata.normalize("NFKD", number or "").encode("ascii", "ignore").decode()
    words = re.sub(r"[^A-Za-z0-9]+", "-", ascii_only).strip("-")
    return words[:NUMBER_CHARACTERS_MAX].rstrip("-") or "bill"
