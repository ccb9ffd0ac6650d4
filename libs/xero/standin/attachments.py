"""Attachments of invoices: files that were given, and papers that are drawn when they are first needed."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Sequence
from typing import Annotated, Any, Final
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from libs.paper import Paper, render_bill
from libs.xero.standin.holdings import Holdings
from libs.xero.standin.store import Store

PER_INVOICE_MAX: Final = 10
"""Attachments of one document. Source: developer.xero.com/documentation/api/accounting/attachments."""

_FORBIDDEN: Final = frozenset('<>:"/\\|?*+')
"""Characters Xero rejects in a file name; the same source."""


class GivenAttachment(BaseModel):
    """An attachment handed to the stand-in: the bytes in base64, or the recipe of a PDF (`libs.paper.Paper`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    invoice_id: str
    attachment_id: str
    file_name: Annotated[str, Field(min_length=1, max_length=255)]
    mime_type: str = "application/pdf"
    content_base64: str | None = None
    paper: Paper | None = None

    @model_validator(mode="after")
    def _one_source(self) -> GivenAttachment:
        if (self.content_base64 is None) == (self.paper is None):
            raise ValueError("an attachment has either content_base64 or paper")
        if _FORBIDDEN.intersection(self.file_name):
            raise ValueError('a file name has none of < > : " / \\ | ? * +')
        return self


GIVEN: Final = TypeAdapter(list[GivenAttachment])
"""Reads the attachments of one call."""


class Attachments:
    """Attachments in the store."""

    def __init__(self, store: Store, holdings: Holdings) -> None:
        self._store = store
        self._holdings = holdings

    def put(self, tenant_id: str, given: Sequence[GivenAttachment]) -> None:
        """Insert or replace by id, inside the caller's transaction; the invoices then say that they have attachments.

        Raises:
            ValueError: an invoice is not held or has too many attachments, or the content is no base64.
        """
        for one in given:
            content = None if one.content_base64 is None else base64.b64decode(one.content_base64, validate=True)
            paper = None if one.paper is None else one.paper.model_dump_json()
            self._store.write(
                "INSERT OR REPLACE INTO attachment VALUES (?, ?, ?, ?, ?, ?, ?)",
                (tenant_id, one.invoice_id, one.attachment_id, one.file_name, one.mime_type, paper, content),
            )
        for invoice_id in {one.invoice_id for one in given}:
            if len(self._rows(tenant_id, invoice_id)) > PER_INVOICE_MAX:
                raise ValueError(f"an invoice has at most {PER_INVOICE_MAX} attachments")
            self._holdings.mark_attached(tenant_id, invoice_id)

    def of(self, tenant_id: str, invoice_id: str, api_url: str) -> list[dict[str, Any]]:
        """What is attached to an invoice, in Xero's JSON."""
        return [
            {
                "AttachmentID": row["attachment_id"],
                "FileName": row["file_name"],
                "Url": f"{api_url}/Invoices/{invoice_id}/Attachments/{quote(row['file_name'])}",
                "MimeType": row["mime_type"],
                "ContentLength": row["size"] if row["size"] is not None else len(self._content(tenant_id, row)),
            }
            for row in self._rows(tenant_id, invoice_id)
        ]

    def content(self, tenant_id: str, invoice_id: str, id_or_name: str) -> tuple[bytes, str] | None:
        """The bytes of one attachment and their kind, by its id or its file name."""
        for row in self._rows(tenant_id, invoice_id):
            if id_or_name in {row["attachment_id"], row["file_name"]}:
                return self._content(tenant_id, row), row["mime_type"]
        return None

    def _rows(self, tenant_id: str, invoice_id: str) -> list[sqlite3.Row]:
        return self._store.rows(
            "SELECT attachment_id, file_name, mime_type, length(content) AS size FROM attachment "
            "WHERE tenant_id = ? AND invoice_id = ? ORDER BY rowid",
            (tenant_id, invoice_id),
        )

    def _content(self, tenant_id: str, row: sqlite3.Row) -> bytes:
        which = (tenant_id, row["attachment_id"])
        held = self._store.rows(
            "SELECT paper, content FROM attachment WHERE tenant_id = ? AND attachment_id = ?", which
        )
        paper, content = held[0]
        if content is not None:
            return bytes(content)
        drawn = render_bill(Paper.model_validate_json(paper))
        self._store.write(
            "UPDATE attachment SET content = ? WHERE tenant_id = ? AND attachment_id = ?", (drawn, *which)
        )
        return drawn
