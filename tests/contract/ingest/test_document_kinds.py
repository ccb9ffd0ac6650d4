"""Which attachment is a bill's document, and which documents are none that Qonto takes."""

from __future__ import annotations

import pytest

from libs.contracts.events import DocumentFetched, DocumentMissing
from services.ingest.adapters.memory_providers import MemoryProvider
from services.ingest.domain.attachments import QONTO_MAX_BYTES
from tests.contract.ingest.awkward import locked_pdf, pdf
from tests.contract.ingest.conftest import Kept
from tests.contract.ingest.test_documents import attachment, decide, decided, fetched, fetcher


async def test_a_bill_without_attachment_has_no_document(kept: Kept) -> None:
    said = await fetched(kept, MemoryProvider())
    assert isinstance(said, DocumentMissing)
    assert said.code == "no_document"


async def test_a_document_too_large_for_qonto_is_never_downloaded_and_its_size_is_said(kept: Kept) -> None:
    # Qonto takes files of at most 10 MB. Source: docs.qonto.com, bulk upload.
    xero = MemoryProvider()
    xero.attach(kept.workspace, "b", attachment(size=25_000_000), b"")
    said = await fetched(kept, xero)
    assert isinstance(said, DocumentMissing)
    assert said.code == "document_too_large"
    assert "25.0 MB" in said.sentence
    assert xero.calls["attached_file"] == 0


async def test_a_size_that_xero_understates_is_found_in_the_bytes(kept: Kept) -> None:
    xero = MemoryProvider()
    xero.attach(kept.workspace, "b", attachment(size=10), b"%PDF-" + bytes(QONTO_MAX_BYTES))
    said = await fetched(kept, xero)
    assert isinstance(said, DocumentMissing)
    assert said.code == "document_too_large"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>sign in</html>",
        b"%PDF-1.7 cut off",
        pdf()[: len(pdf()) // 2],
        pdf(pages=0),
        b"%PDF-" + bytes(2**21),
    ],
    ids=["empty", "html", "nothing behind the head", "cut in half", "no page", "large and empty"],
)
async def test_a_broken_document_is_said_to_be_broken(kept: Kept, content: bytes) -> None:
    xero = MemoryProvider()
    xero.attach(kept.workspace, "b", attachment(), content)
    said = await fetched(kept, xero)
    assert isinstance(said, DocumentMissing)
    assert said.code == "document_broken"


async def test_a_document_locked_with_a_password_is_broken(kept: Kept) -> None:
    xero = MemoryProvider()
    xero.attach(kept.workspace, "b", attachment(), locked_pdf())
    said = await fetched(kept, xero)
    assert isinstance(said, DocumentMissing)
    assert "password" in said.sentence


async def test_a_pdf_is_preferred_and_an_image_will_do(kept: Kept) -> None:
    xero = MemoryProvider()
    xero.attach(kept.workspace, "b", attachment("scan.PNG", ""), b"\x89PNG\r\n\x1a\n")
    xero.attach(kept.workspace, "b", attachment("notes.docx", "application/msword"), b"")
    said = await fetched(kept, xero)
    assert isinstance(said, DocumentFetched)
    assert said.document.mime_type == "image/png"
    xero.attach(kept.workspace, "b2", attachment("scan.png", "image/png"), b"")
    xero.attach(kept.workspace, "b2", attachment("bill.PDF", "application/octet-stream"), pdf())
    await decide(kept, decided(kept, "b2", "post"))
    await fetcher(kept, xero).step()
    types = {
        event.payload.document.mime_type
        for event in await kept.events()
        if isinstance(event.payload, DocumentFetched) and event.record == "xero/bill/b2"
    }
    assert types == {"application/pdf"}


async def test_attachments_of_other_types_alone_are_a_document_of_the_wrong_type(kept: Kept) -> None:
    xero = MemoryProvider()
    xero.attach(kept.workspace, "b", attachment("notes.docx", "application/msword"), b"")
    said = await fetched(kept, xero)
    assert isinstance(said, DocumentMissing)
    assert said.code == "document_type"
