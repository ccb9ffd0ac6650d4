"""One bulk upload: its limits, its parts in the one order that works, and how its answer is read.

Qonto answers 200 to every request it could process; what became of each file stands in the body. Source:
docs.qonto.com/guides/use-cases/bulk-upload-supplier-invoices.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import unquote
from uuid import UUID

from libs.contracts.errors import Malformed, OutcomeUnknown, Rejected
from libs.qonto.refusals import Fault, faults_in
from libs.qonto.wire import SupplierInvoice, supplier_invoice
from libs.qonto.words import NotJson, object_in, verbatim

UPLOADS_MAX: Final = 20
"""Files a request; Qonto answers `limit_reached` above. Source: the guide."""

FILE_MAX_BYTES: Final = 10_000_000
"""Bytes a file. The guide says 10 MB; we read it as the smaller of its two meanings."""

REQUEST_MAX_BYTES: Final = 15_000_000
"""Bytes a request, its framing included. Source: "Create supplier invoices", older edition: cannot exceed 15MB."""

PART_OVERHEAD_BYTES: Final = 1_000
"""Bytes of framing counted for each file: two parts' headers and a file name."""

META: Final = json.dumps({"integration_type": "xero", "connector": "well"})
"""What Qonto shows as the origin, in the shape of its guide's `{"integration_type": ..., "connector": ...}`."""

_FILE: Final = "supplier_invoices[][file]"
_KEY: Final = "supplier_invoices[][idempotency_key]"
_POINTER: Final = "/supplier_invoices/idempotency_key/"
_UNSURE_CODE: Final = "internal_server_error"

Part: TypeAlias = tuple[str, tuple[str | None, bytes] | tuple[str | None, bytes, str]]
"""A part as httpx takes it: name, then file name (None for a plain field), content and kind."""


@dataclass(frozen=True)
class Upload:
    """A file to become one supplier invoice.

    Attributes:
        idempotency_key: Qonto gives the same answer to the same key for 30 minutes, and no longer.
        file_name: What Qonto shows and lists; best unique, so that a lost upload can be found by it, and without
            slashes, which servers take for a path.
        content: The file, unchanged.
        mime: Its kind: PDF, PNG or JPEG.
    """

    idempotency_key: UUID
    file_name: str
    content: bytes
    mime: str


@dataclass(frozen=True)
class Accepted:
    """Qonto holds it. `status` is verbatim, `to_review` for a new one."""

    idempotency_key: UUID
    invoice_id: str
    attachment_id: str | None
    status: str | None


@dataclass(frozen=True)
class Refused:
    """Qonto took note and does not hold it. `detail` is Qonto's sentence and may name the file: not for a log."""

    idempotency_key: UUID
    code: str
    detail: str


UploadOutcome: TypeAlias = Accepted | Refused


def check_limits(uploads: Sequence[Upload]) -> None:
    """Refuse, before anything is sent, what Qonto would refuse.

    Raises:
        Rejected: `limit_reached`, `file_too_large` or `request_too_large`.
        ValueError: two uploads share a key; their outcomes could not be told apart.
    """
    if len({upload.idempotency_key for upload in uploads}) != len(uploads):
        raise ValueError("two uploads of one request share an idempotency key")
    if len(uploads) > UPLOADS_MAX:
        raise Rejected(f"Qonto takes {UPLOADS_MAX} files a request, not {len(uploads)}.", code="limit_reached")
    sizes = [len(upload.content) for upload in uploads]
    if max(sizes, default=0) > FILE_MAX_BYTES:
        raise Rejected(f"A file of {max(sizes)} bytes is above Qonto's {FILE_MAX_BYTES}.", code="file_too_large")
    if sum(sizes) + PART_OVERHEAD_BYTES * len(uploads) >= REQUEST_MAX_BYTES:
        raise Rejected(f"The request would reach Qonto's {REQUEST_MAX_BYTES} bytes.", code="request_too_large")


def parts_of(uploads: Sequence[Upload], *, skip_attachment_matcher: bool | None) -> list[Part]:
    """The parts of the request: key, file, key, file.

    Qonto groups `supplier_invoices[][...]` by order of arrival, as Rack does: all keys before all files would pair the
    second key with the first file. That is what httpx makes of `data=` beside `files=`, so everything goes in `files=`.
    """
    parts: list[Part] = []
    for upload in uploads:
        parts.append((_KEY, (None, str(upload.idempotency_key).encode())))
        parts.append((_FILE, (upload.file_name, upload.content, upload.mime)))
    parts.append(("source", (None, b"integration")))
    parts.append(("meta", (None, META.encode())))
    if skip_attachment_matcher is not None:
        parts.append(("skip_attachment_matcher", (None, b"true" if skip_attachment_matcher else b"false")))
    return parts


def outcomes_in(body: bytes, uploads: Sequence[Upload]) -> list[UploadOutcome]:
    """What became of each upload, in the order given.

    1. An error whose pointer names a key refuses that upload; one without a pointer can only mean a lone upload.
    2. The invoices stand for the other uploads, in order. They carry no key, so with several the file names must agree.
    3. Anything that does not add up is not guessed at.

    Raises:
        OutcomeUnknown: an upload is in neither list, cannot be told from another, or met an error inside Qonto.
    """
    try:
        faults = faults_in(object_in(body))
        invoices = [supplier_invoice(record, raw) for record, raw in verbatim(body, "supplier_invoices")]
    except (NotJson, Malformed):
        raise OutcomeUnknown("Qonto answered an upload with something that is not the JSON it promises.") from None
    refused = _refused(faults, uploads, alone=len(uploads) == 1 and not invoices)
    if any(refusal.code == _UNSURE_CODE for refusal in refused.values()):
        raise OutcomeUnknown("Qonto met an error of its own with an upload; it may hold the file.")
    rest = [upload for upload in uploads if upload.idempotency_key not in refused]
    accepted = _accepted(rest, invoices)
    return [refused.get(upload.idempotency_key) or accepted[upload.idempotency_key] for upload in uploads]


def _refused(faults: Sequence[Fault], uploads: Sequence[Upload], *, alone: bool) -> dict[UUID, Refused]:
    refused: dict[UUID, Refused] = {}
    for upload in uploads:
        key = upload.idempotency_key
        about = [fault for fault in faults if _points_at(fault.pointer, key) or (alone and not _names_a_key(fault))]
        if about:
            refused[key] = Refused(key, about[0].code, about[0].detail)
    return refused


def _points_at(pointer: str, key: UUID) -> bool:
    """Whether a pointer names the key, with or without `/file` behind it: both are seen."""
    named = f"{_POINTER}{key}"
    return pointer.lower() == named or pointer.lower().startswith(f"{named}/")


def _names_a_key(fault: Fault) -> bool:
    return fault.pointer.startswith(_POINTER)


def _accepted(uploads: Sequence[Upload], invoices: Sequence[SupplierInvoice]) -> dict[UUID, Accepted]:
    if len(uploads) != len(invoices):
        raise OutcomeUnknown(f"Qonto's answer tells of {len(invoices)} invoices where {len(uploads)} should be.")
    pairs = list(zip(uploads, invoices, strict=True))
    if len(pairs) > 1 and not all(_same_name(upload, invoice) for upload, invoice in pairs):
        raise OutcomeUnknown("Qonto's answer does not tell which invoice belongs to which upload.")
    return {
        upload.idempotency_key: Accepted(upload.idempotency_key, invoice.id, invoice.attachment_id, invoice.status)
        for upload, invoice in pairs
    }


def _same_name(upload: Upload, invoice: SupplierInvoice) -> bool:
    """Whether the names agree; quotation marks travel percent-encoded. Source: HTML Standard, multipart/form-data."""
    return unquote(upload.file_name) == unquote(invoice.file_name or "")
