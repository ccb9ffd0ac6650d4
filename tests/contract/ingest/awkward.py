"""PDFs, sound and awkward."""

from __future__ import annotations

from io import BytesIO

from pypdf import PdfWriter


def pdf(pages: int = 1) -> bytes:
    """A PDF of empty pages."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(100, 100)
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


def locked_pdf() -> bytes:
    """A PDF that opens with a password only."""
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm="AES-256")
    written = BytesIO()
    writer.write(written)
    return written.getvalue()
