"""The tools: what an MCP client may read of Xero. There is none that writes.

Results are structured: Xero's own objects, with every number as the text it was written in, so that no amount passes
through a float. The text beside them is one line for a person. A failure is a result too, marked as an error, with what
the caller must do: `{"error": {"kind", "code", "sentence", "retry_after_seconds"}}`.
"""

from __future__ import annotations

import base64
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver import MCPServer
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import AfterValidator, Field

from libs.contracts.errors import ConsentLost, Malformed, Rejected, Transient, WellError
from libs.xero.client import PAGE_SIZE_MAX, XeroClient
from libs.xero.wire import Page, Record
from services.xero_mcp.flow.read import Reading

READ_ONLY: Final = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True)

NAMES_REMEMBERED: Final = 4096
"""Attachments whose name and type stay in memory after a listing: a download is then one call to Xero and not two."""

_FILE_FIELDS: Final = ("AttachmentID", "FileName", "MimeType", "ContentLength")


def _in_utc(moment: datetime) -> datetime:
    """An instant in UTC; one that names no zone is meant so, wherever this machine stands."""
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("an instant in UTC has a year from 1 to 9999") from None


PageNumber = Annotated[int, Field(ge=1, description="From 1.")]
PageSize = Annotated[int, Field(ge=1, le=PAGE_SIZE_MAX, description="Records a page.")]
Since = Annotated[
    Annotated[datetime, AfterValidator(_in_utc)] | None,
    Field(description="Only what changed at or after this instant, ISO 8601, to the second."),
]
InvoiceType = Literal["ACCPAY", "ACCREC"]


class XeroTools:
    """The tools, for whoever the access token of the request stands for."""

    def __init__(self, *, reading: Reading, client: XeroClient, attachment_max_bytes: int) -> None:
        self._reading = reading
        self._client = client
        self._attachment_max_bytes = attachment_max_bytes
        self._files: OrderedDict[tuple[UUID, str, str], Record] = OrderedDict()

    def register(self, server: MCPServer[Any]) -> None:
        """Put the tools on a server."""
        for tool in (
            self.list_invoices,
            self.get_invoice,
            self.list_contacts,
            self.list_attachments,
            self.get_attachment,
        ):
            server.add_tool(tool, annotations=READ_ONLY, structured_output=False)

    async def list_invoices(
        self,
        page: PageNumber = 1,
        page_size: PageSize = PAGE_SIZE_MAX,
        modified_since: Since = None,
        type: InvoiceType | None = None,  # noqa: A002 the word clients send
        include_archived: bool = True,  # noqa: FBT001, FBT002 clients send it by name
    ) -> CallToolResult:
        """List bills (ACCPAY) and sales invoices (ACCREC) with their lines, oldest change first."""

        async def read(workspace: UUID) -> CallToolResult:
            found = await self._reading.ask(
                workspace,
                lambda token, tenant: self._client.invoices(
                    token,
                    tenant,
                    page=page,
                    page_size=page_size,
                    modified_since=modified_since,
                    where=None if type is None else f'Type=="{type}"',
                    include_archived=include_archived,
                ),
            )
            return _page(found, "invoices")

        return await _answered(read)

    async def get_invoice(self, invoice_id: str) -> CallToolResult:
        """Get one bill or sales invoice with its lines and what is attached to it."""

        async def read(workspace: UUID) -> CallToolResult:
            bill = _id(invoice_id)
            found = await self._reading.ask(workspace, lambda token, tenant: self._client.invoice(token, tenant, bill))
            return _result("One invoice.", {"invoice": found.record})

        return await _answered(read)

    async def list_contacts(
        self,
        page: PageNumber = 1,
        page_size: PageSize = PAGE_SIZE_MAX,
        modified_since: Since = None,
        include_archived: bool = True,  # noqa: FBT001, FBT002 clients send it by name
    ) -> CallToolResult:
        """List contacts, oldest change first; archived and merged ones too unless told otherwise."""

        async def read(workspace: UUID) -> CallToolResult:
            found = await self._reading.ask(
                workspace,
                lambda token, tenant: self._client.contacts(
                    token,
                    tenant,
                    page=page,
                    page_size=page_size,
                    modified_since=modified_since,
                    include_archived=include_archived,
                ),
            )
            return _page(found, "contacts")

        return await _answered(read)

    async def list_attachments(self, invoice_id: str) -> CallToolResult:
        """List the files attached to a bill: id, name, type and size."""

        async def read(workspace: UUID) -> CallToolResult:
            files = await self._listed(workspace, invoice_id)
            return _result(f"{len(files)} files.", {"attachments": files})

        return await _answered(read)

    async def get_attachment(self, invoice_id: str, attachment_id: str) -> CallToolResult:
        """Get the bytes of a file attached to a bill, in base64, with their SHA-256."""

        async def read(workspace: UUID) -> CallToolResult:
            named = await self._named(workspace, invoice_id, attachment_id)
            mime_type = str(named.get("MimeType") or "application/pdf")
            found = await self._reading.ask(
                workspace,
                lambda token, tenant: self._client.attachment_content(
                    token,
                    tenant,
                    "Invoices",
                    invoice_id,
                    attachment_id,
                    max_bytes=self._attachment_max_bytes,
                    mime_type=mime_type,
                ),
            )
            words: dict[str, object] = {
                "file_name": named.get("FileName"),
                "mime_type": found.mime_type,
                "size_bytes": len(found.body),
                "sha256": hashlib.sha256(found.body).hexdigest(),
                "content_base64": base64.b64encode(found.body).decode(),
            }
            return _result(f"A file of {len(found.body)} bytes.", words)

        return await _answered(read)

    async def _listed(self, workspace: UUID, invoice_id: str) -> list[Record]:
        bill = _id(invoice_id)
        found = await self._reading.ask(
            workspace, lambda token, tenant: self._client.attachments(token, tenant, "Invoices", bill)
        )
        files: list[Record] = [{name: file.get(name) for name in _FILE_FIELDS} for file in found.records]
        for file in files:
            self._files[workspace, invoice_id, str(file["AttachmentID"])] = file
            if len(self._files) > NAMES_REMEMBERED:
                self._files.popitem(last=False)
        return files

    async def _named(self, workspace: UUID, invoice_id: str, attachment_id: str) -> Record:
        key = (workspace, invoice_id, _id(attachment_id))
        if key not in self._files:
            await self._listed(workspace, invoice_id)
        if key not in self._files:
            raise Rejected("The bill has no such file.", code="not_found")
        return self._files[key]


def _id(given: str) -> str:
    """An id as Xero's are; anything else costs no call.

    Raises:
        ValueError: It is none.
    """
    UUID(given)
    return given


async def _answered(read: Callable[[UUID], Awaitable[CallToolResult]]) -> CallToolResult:
    token = get_access_token()
    if token is None or token.subject is None:
        return _failure(Rejected("This call came without a token of ours.", code="no_token"))
    try:
        return await read(UUID(token.subject))
    except (Transient, Rejected, ConsentLost, Malformed) as error:
        return _failure(error)
    except ValueError:
        return _failure(Rejected("An id in this call is not one.", code="bad_id"))


def _page(found: Page, key: str) -> CallToolResult:
    place = found.pagination
    words: dict[str, object] = {
        key: list(found.records),
        "pagination": {
            "page": place.page,
            "pageSize": place.page_size,
            "pageCount": place.page_count,
            "itemCount": place.item_count,
        },
        "budget": asdict(found.budget),
    }
    return _result(f"{len(found.records)} {key}, page {place.page} of {place.page_count}.", words)


def _result(line: str, words: dict[str, object], *, failed: bool = False) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=line)], structured_content=words, is_error=failed)


def _failure(error: WellError) -> CallToolResult:
    words = {
        "kind": type(error).__name__,
        "code": error.code if isinstance(error, (Rejected, Malformed)) else None,
        "sentence": error.sentence,
        "retry_after_seconds": error.retry_after_seconds if isinstance(error, Transient) else None,
    }
    return _result(error.sentence, {"error": words}, failed=True)
