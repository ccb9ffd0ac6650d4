"""Reads Xero through an MCP server's `list_contacts`, `list_invoices`, `list_attachments` and `get_attachment`.

Any server with these tools can stand at the other end. Numbers with a decimal point arrive as decimal text.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import httpx2
from mcp_types import CallToolResult

from libs.contracts.errors import ConsentLost, Malformed, Rejected, Transient, WellError
from libs.contracts.identity import RecordKind
from libs.runtime.clock import Clock
from services.ingest.adapters.mcp_bearer import ASK_SECONDS, RefreshingBearer
from services.ingest.adapters.mcp_grant import GrantKeeper
from services.ingest.adapters.mcp_http import WORDS_MAX_BYTES, bounded_client
from services.ingest.adapters.mcp_session import McpSession
from services.ingest.domain.attachments import Attachment
from services.ingest.ports import AttachedFile, Page

PAGE_SIZE: Final = 1000
"""Rows a page: the most Xero gives, so that 1,000 changed bills cost one call. Source: xero_accounting.yaml."""

SESSIONS_MAX: Final = 64
"""Sessions kept open. Each holds a connection; the one unused for longest is closed and opened again when needed."""

RETRY_AFTER_MAX_SECONDS: Final = 86_400.0
"""Seconds. The longest window of Xero's limits is a day; a longer wait, or one that is no number, is not believed."""

_REFUSALS: Final[Mapping[str, str]] = {
    "insufficient_scope": "The consent at Xero does not cover this kind of record. Reconnect it with every scope.",
    "forbidden": "Xero forbids this to the person who connected it. Connect Xero as one who may read it.",
    "not_found": "Xero does not have what was asked for.",
    "document_too_large": "The file is larger than the Xero server hands out.",
    "answer_too_large": "Xero's answer is larger than the Xero server takes.",
    "bad_id": "The Xero server does not take an id of Xero's for one.",
    "no_token": "The Xero server does not know our token. Connect Xero again.",
    "refused": "The Xero server refused a call.",
}
"""The agreed refusals of a tool, in our words; `http_<status>` is one too."""

_HTTP: Final = re.compile(r"http_[45][0-9]{2}")

_LISTS: Final[Mapping[str, tuple[str, str]]] = {
    "contact": ("list_contacts", "contacts"),
    "bill": ("list_invoices", "invoices"),
}


class XeroOverMcp:
    """The Xero side of ingest: one session a workspace, kept open and used again.

    Every read may raise ConsentLost (a person must connect Xero again), Transient, Rejected, or Malformed when the
    answer is not of the agreed shape.
    """

    def __init__(self, url: str, keeper_of: Callable[[UUID], GrantKeeper], clock: Clock) -> None:
        self._url = url
        self._keeper_of = keeper_of
        self._clock = clock
        self._tokens = bounded_client(httpx2.Timeout(ASK_SECONDS), WORDS_MAX_BYTES)
        self._sessions: OrderedDict[UUID, McpSession] = OrderedDict()

    async def records(self, workspace: UUID, kind: RecordKind, *, page: int, since: datetime | None) -> Page:
        """A page of contacts or of invoices of every type, archived ones too, changed at or after an instant."""
        if kind not in _LISTS:
            raise Malformed(f"Xero has no list of {kind}s here.", code="no_such_list")
        tool, key = _LISTS[kind]
        arguments: dict[str, Any] = {"page": page, "page_size": PAGE_SIZE, "include_archived": True}
        if since is not None:
            arguments["modified_since"] = since.astimezone(UTC).isoformat().replace("+00:00", "Z")
        answer = await self._called(workspace, tool, arguments)
        stands = _member(answer, "pagination", Mapping)
        page_count = _whole_number(stands.get("pageCount"))
        if page_count is None:
            raise Malformed("The Xero server does not say how many pages there are.", code="unexpected_shape")
        if _whole_number(stands.get("page", page)) != page:
            raise Transient("The Xero server answered with another page than it was asked for.")
        return Page(_objects(answer, key), page_count)

    async def attachments(self, workspace: UUID, bill_id: str) -> Sequence[Attachment]:
        """What is attached to a bill."""
        answer = await self._called(workspace, "list_attachments", {"invoice_id": bill_id})
        return [
            Attachment(
                attachment_id=_member(found, "AttachmentID", str),
                file_name=str(found.get("FileName") or ""),
                mime_type=str(found.get("MimeType") or ""),
                size_bytes=_whole_number(found.get("ContentLength")),
            )
            for found in _objects(answer, "attachments")
        ]

    async def attached_file(self, workspace: UUID, bill_id: str, attachment_id: str) -> AttachedFile:
        """One attachment's bytes, checked against the digest the server gave with them."""
        arguments = {"invoice_id": bill_id, "attachment_id": attachment_id}
        answer = await self._called(workspace, "get_attachment", arguments)
        try:
            content = base64.b64decode(_member(answer, "content_base64", str), validate=True)
        except ValueError:
            raise Malformed("An attachment did not arrive as base64.", code="bad_attachment") from None
        if hashlib.sha256(content).hexdigest() != answer.get("sha256"):
            raise Transient("An attachment arrived with other bytes than the Xero server sent.")
        return AttachedFile(str(answer.get("file_name") or ""), content)

    async def forget(self, workspace: UUID) -> None:
        """Close a workspace's session, so that the next call opens one with the newest grant."""
        session = self._sessions.pop(workspace, None)
        if session is not None:
            await session.close()

    async def close(self) -> None:
        """Close every session."""
        for workspace in list(self._sessions):
            await self.forget(workspace)
        await self._tokens.aclose()

    async def _called(self, workspace: UUID, tool: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        session = await self._session(workspace)
        return _answer_of(await session.call(tool, arguments))

    async def _session(self, workspace: UUID) -> McpSession:
        session = self._sessions.get(workspace)
        if session is None or session.ended:
            await self.forget(workspace)
            bearer = RefreshingBearer(self._keeper_of(workspace), self._tokens, self._clock)
            session = self._sessions[workspace] = McpSession(self._url, bearer)
        self._sessions.move_to_end(workspace)
        if len(self._sessions) > SESSIONS_MAX:
            _, oldest = self._sessions.popitem(last=False)
            await oldest.close()
        return session


def _answer_of(result: CallToolResult) -> Mapping[str, Any]:
    answer = result.structured_content
    if not isinstance(answer, Mapping):
        raise Malformed("The Xero server answered without structured content.", code="unexpected_shape")
    if result.is_error:
        raise error_of(answer.get("error"))
    return answer


def error_of(told: object) -> WellError:
    """The error that a tool's structured answer tells of.

    The sentence is ours, chosen by the kind and code: what a foreign server writes may be anything, and sentences lie
    in plain columns and reach logs and screens. A code that is none of the agreed ones is `refused`.
    """
    error = told if isinstance(told, Mapping) else {}
    match error.get("kind"):
        case "Transient":
            asked = error.get("retry_after_seconds")
            believed = isinstance(asked, int | float) and 0 < asked <= RETRY_AFTER_MAX_SECONDS
            return _not_now(asked if believed else None)
        case "ConsentLost":
            return ConsentLost("The Xero server no longer has access to this organisation. Connect Xero again.")
        case "Malformed":
            return Malformed("Xero gave the Xero server an answer that it could not read.", code="unexpected_shape")
        case _:
            said = error.get("code")
            if isinstance(said, str) and _HTTP.fullmatch(said):
                return Rejected(f"Xero refused the request ({said[-3:]}).", code=said)
            code = said if isinstance(said, str) and said in _REFUSALS else "refused"
            return Rejected(_REFUSALS[code], code=code)


def _not_now(asked_seconds: float | None) -> Transient:
    waits = "" if asked_seconds is None else f" It asks to wait {asked_seconds:.0f} seconds."
    sentence = (
        "The Xero server cannot answer just now: Xero is busy, down or out of reach, or refuses access for a while."
    )
    return Transient(sentence + waits, retry_after_seconds=asked_seconds)


def _objects(answer: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found: list[Any] = _member(answer, key, list)
    if not all(isinstance(each, Mapping) for each in found):
        raise Malformed(f"The Xero server's {key} are not all objects.", code="unexpected_shape")
    return found


def _member(answer: Mapping[str, Any], key: str, kind: type) -> Any:  # noqa: ANN401 - JSON
    found = answer.get(key)
    if not isinstance(found, kind):
        raise Malformed(f"The Xero server's answer has no {key} of its kind.", code="unexpected_shape")
    return found


def _whole_number(written: object) -> int | None:
    text = str(written)
    return int(text) if re.fullmatch("[0-9]{1,18}", text) else None
