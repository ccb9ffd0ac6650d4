"""Which attachment of a bill is the supplier's own document, and whether Qonto would take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final, Literal

from pypdf import PdfReader
from pypdf.errors import PyPdfError

_MEGABYTE: Final = 1_000_000
"""Bytes; of its two meanings the smaller one, as the pusher reads it: what we let pass must not be refused later."""

QONTO_MAX_BYTES: Final = 10 * _MEGABYTE
"""Bytes of one file. Source: docs.qonto.com/guides/use-cases/bulk-upload-supplier-invoices: "max 10 MB"."""

_MAGIC_WITHIN_BYTES: Final = 1024
"""Bytes. `%PDF-` may stand behind other bytes, but not further than this. Source: PDF 1.7, implementation note 13."""

_BY_SUFFIX: Final = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}
_PDF: Final = "application/pdf"

# What pypdf raises on bytes that are no sound PDF, besides its own errors: it parses first and checks later.
_NOT_A_PDF: Final = (
    PyPdfError,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    AssertionError,
    RecursionError,
    OverflowError,
    NotImplementedError,
    EOFError,
)


@dataclass(frozen=True)
class Attachment:
    """One line of Xero's list of a bill's attachments. `size_bytes` is None when Xero does not say."""

    attachment_id: str
    file_name: str
    mime_type: str
    size_bytes: int | None


@dataclass(frozen=True)
class Missing:
    """Why there is no file that Qonto would take. A value: bills without a document are ordinary."""

    code: Literal["no_document", "document_too_large", "document_broken", "document_type"]
    sentence: str


NO_DOCUMENT: Final = Missing("no_document", "The bill has no attachment in Xero. Attach the supplier's invoice there.")

TOO_LARGE_TO_READ: Final = Missing(
    "document_too_large",
    "The bill's document is larger than the 10 MB that Qonto takes. Attach a smaller one in Xero.",
)

REFUSED_DOWNLOADS: Final = {"not_found": NO_DOCUMENT, "document_too_large": TOO_LARGE_TO_READ}
"""What a refusal to list or download says of the document, by its code; any other says nothing of it."""


def chosen(attachments: Sequence[Attachment]) -> Attachment | Missing:
    """The first PDF, else the first PNG or JPEG; refused before it is downloaded when it is too large for Qonto."""
    if not attachments:
        return NO_DOCUMENT
    usable = [attachment for attachment in attachments if _kind_of(attachment)]
    if not usable:
        sentence = "None of the bill's attachments is a PDF, PNG or JPEG, which is what Qonto takes."
        return Missing("document_type", sentence)
    choice = next((attachment for attachment in usable if _kind_of(attachment) == _PDF), usable[0])
    if choice.size_bytes is not None and choice.size_bytes > QONTO_MAX_BYTES:
        return _too_large(choice.size_bytes)
    return choice


def sound_type(content: bytes) -> str | Missing:
    """The type of a downloaded file by its bytes, whatever its name says; or why Qonto could not use it.

    Costs processor time with the size of a PDF: above about a megabyte call it in a thread.
    """
    if len(content) > QONTO_MAX_BYTES:
        return _too_large(len(content))
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if b"%PDF-" not in content[:_MAGIC_WITHIN_BYTES]:
        return _broken("is neither a PDF nor an image, whatever its name says")
    return _opened(content)


def _opened(content: bytes) -> str | Missing:
    try:
        reader = PdfReader(BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            return _broken("is locked with a password")
        pages = len(reader.pages)
    except _NOT_A_PDF:
        return _broken("is a PDF that cannot be opened")
    return _PDF if pages else _broken("is a PDF without a page")


def _kind_of(attachment: Attachment) -> str | None:
    named = attachment.mime_type.split(";")[0].strip().lower()
    if named in _BY_SUFFIX.values():
        return named
    _, dot, suffix = attachment.file_name.lower().rpartition(".")
    return _BY_SUFFIX.get(f"{dot}{suffix}")


def _too_large(size_bytes: int) -> Missing:
    tenths = -(-size_bytes * 10 // _MEGABYTE)  # rounded up: ten and a bit is not ten
    size, limit = f"{tenths // 10}.{tenths % 10}", QONTO_MAX_BYTES // _MEGABYTE
    sentence = f"The bill's document has {size} MB; Qonto takes at most {limit} MB. Attach a smaller one in Xero."
    return Missing("document_too_large", sentence)


def _broken(what: str) -> Missing:
    return Missing("document_broken", f"The bill's document {what}. Attach it again in Xero.")
