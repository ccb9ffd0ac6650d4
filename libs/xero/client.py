"""Xero's Accounting API for readers. There is one request method in here, and it says GET."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import httpx

from libs.contracts.errors import Malformed, Rejected, Transient
from libs.xero.endpoints import Endpoints
from libs.xero.refusals import refusal
from libs.xero.wire import Content, Json, Many, One, Page, budget_in, objects_in, pagination_in, parse, records_in

PAGE_SIZE_MAX: Final = 1000
"""Records a page. Xero clamps anything above; source: Xero-OpenAPI 16.1.0, parameter `pageSize`."""

ANSWER_MAX_BYTES: Final = 64_000_000
"""Bytes of a JSON answer: a page of 1,000 bills at 64 kB each, some forty lines a bill."""

REFUSAL_MAX_BYTES: Final = 16_000
"""Bytes read of a refusal. Its word stands at the start; a proxy's page of HTML is not read to its end."""

READ_SECONDS: Final = 60.0
"""Seconds for one read, to its last byte: a page of a thousand bills takes a few. The limits of the HTTP client begin
anew with each byte, and Xero lets five calls of an organisation run at once: five that never end would be the last."""

ATTACHED_TO: Final = frozenset({"Invoices", "CreditNotes", "BankTransactions", "PurchaseOrders"})
"""The kinds of document whose attachments may be read."""


class XeroClient:
    """Reads Xero; token and organisation are given with each call and kept nowhere.

    Every method may raise:

    - Transient: the network failed, Xero is down or busy, or a budget is used up (then with the wait Xero asks for);
    - ConsentLost: the token is no longer honoured;
    - Rejected: `insufficient_scope`, `forbidden`, `not_found`, or `http_<status>` for another refusal;
    - Malformed: the answer is JSON of a shape that Xero does not promise.

    Intentional: no retries and no pacing in here. Who calls knows the budget and what waits for it.

    Args:
        http: Makes the requests, with its own timeouts; its owner closes it.
        endpoints: Which Xero.
        read_seconds: How long a read may take.
    """

    def __init__(self, http: httpx.AsyncClient, endpoints: Endpoints, *, read_seconds: float = READ_SECONDS) -> None:
        self._http = http
        self._read_seconds = read_seconds
        self._endpoints = endpoints

    async def invoices(
        self,
        token: str,
        tenant: str,
        *,
        page: int,
        page_size: int = PAGE_SIZE_MAX,
        modified_since: datetime | None = None,
        where: str | None = None,
        order: str | None = None,
        ids: Sequence[str] = (),
        include_archived: bool = True,
    ) -> Page:
        """A page of bills and sales invoices, with their lines; `where` (`Type=="ACCPAY"`) and `order` in Xero's words.

        `modified_since` counts to the second and includes that second. Without `order`: oldest change first.
        """
        query = _query(page, page_size, where, order, ids, include_archived=include_archived)
        return await self._page(token, tenant, "Invoices", query, modified_since)

    async def contacts(
        self,
        token: str,
        tenant: str,
        *,
        page: int,
        page_size: int = PAGE_SIZE_MAX,
        modified_since: datetime | None = None,
        where: str | None = None,
        order: str | None = None,
        ids: Sequence[str] = (),
        include_archived: bool = True,
    ) -> Page:
        """A page of contacts; archived ones, and those merged into another, too unless told otherwise."""
        query = _query(page, page_size, where, order, ids, include_archived=include_archived)
        return await self._page(token, tenant, "Contacts", query, modified_since)

    async def invoice(self, token: str, tenant: str, invoice_id: str) -> One:
        """One bill or sales invoice with its lines and, under `Attachments`, what is attached to it."""
        return await self._one(token, tenant, f"/Invoices/{_part(invoice_id)}", "Invoices")

    async def contact(self, token: str, tenant: str, contact_id: str) -> One:
        """One contact."""
        return await self._one(token, tenant, f"/Contacts/{_part(contact_id)}", "Contacts")

    async def organisation(self, token: str, tenant: str) -> One:
        """The organisation itself: name, country, base currency."""
        return await self._one(token, tenant, "/Organisation", "Organisations")

    async def attachments(self, token: str, tenant: str, attached_to: str, document_id: str) -> Many:
        """What is attached to a document, at most ten files: id, file name, kind and size, without the bytes."""
        async with self._get(self._attachments_url(attached_to, document_id), token, tenant) as response:
            return Many(records_in(await _json(response), "Attachments"), budget_in(response.headers))

    async def attachment_content(
        self,
        token: str,
        tenant: str,
        attached_to: str,
        document_id: str,
        attachment_id: str,
        *,
        max_bytes: int,
        mime_type: str = "application/pdf",
    ) -> Content:
        """The bytes of an attachment.

        Asked for by id, since names may hold anything and need not be unique.

        Args:
            token: An access token.
            tenant: The organisation's id.
            attached_to: A kind of document, in `ATTACHED_TO`.
            document_id: The document's id.
            attachment_id: The attachment's id.
            max_bytes: No more is read; above it, Rejected `document_too_large`.
            mime_type: What Xero's list of attachments says of it; Xero wants it back in a header.
        """
        url = f"{self._attachments_url(attached_to, document_id)}/{_part(attachment_id)}"
        # Not packed: what is unpacked from a small answer could be larger than any bound before it can be counted.
        wanted = {"Accept": "application/octet-stream", "Accept-Encoding": "identity", "contentType": mime_type}
        async with self._get(url, token, tenant, headers=wanted) as response:
            body = await _read(response, max_bytes)
            if body is None:
                raise Rejected(f"The attachment is larger than {max_bytes} bytes.", code="document_too_large")
            kind = response.headers.get("Content-Type", mime_type).partition(";")[0].strip()
            return Content(body, kind, budget_in(response.headers))

    async def connections(self, token: str, *, event: str | None = None) -> Many:
        """The organisations this token may read: `id` (of the connection), `tenantId`, `tenantName`, `authEventId`.

        `event` keeps it to those of one consent.
        """
        query = {} if event is None else {"authEventId": event}
        async with self._get(self._endpoints.connections_url, token, None, query=query) as response:
            return Many(objects_in(await _json(response)), budget_in(response.headers))

    async def _page(
        self, token: str, tenant: str, kind: str, query: dict[str, str], modified_since: datetime | None
    ) -> Page:
        headers = {} if modified_since is None else {"If-Modified-Since": _second(modified_since)}
        url = f"{self._endpoints.api_url}/{kind}"
        async with self._get(url, token, tenant, query=query, headers=headers) as response:
            answer = await _json(response)
            return Page(records_in(answer, kind), pagination_in(answer), budget_in(response.headers))

    async def _one(self, token: str, tenant: str, path: str, key: str) -> One:
        async with self._get(self._endpoints.api_url + path, token, tenant) as response:
            records = records_in(await _json(response), key)
            if len(records) != 1:
                raise Malformed(f"Xero gave {len(records)} objects where one was asked for.", code="unexpected_shape")
            return One(records[0], budget_in(response.headers))

    def _attachments_url(self, attached_to: str, document_id: str) -> str:
        if attached_to not in ATTACHED_TO:
            raise ValueError(f"nothing is attached to {attached_to!r}")
        return f"{self._endpoints.api_url}/{attached_to}/{_part(document_id)}/Attachments"

    @asynccontextmanager
    async def _get(
        self,
        url: str,
        token: str,
        tenant: str | None,
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """An answer of 200 with its body still to be read. Redirects are refused: the token goes to Xero alone."""
        sent = {"Accept": "application/json", "Authorization": f"Bearer {token}", **(headers or {})}
        if tenant is not None:
            sent["xero-tenant-id"] = tenant
        try:
            async with (
                asyncio.timeout(self._read_seconds),
                self._http.stream("GET", url, params=query, headers=sent, follow_redirects=False) as response,
            ):
                if response.status_code != HTTPStatus.OK:
                    raise refusal(response.status_code, response.headers, await _start(response))
                yield response
        except (httpx.RequestError, TimeoutError) as error:
            raise Transient(f"The network to Xero failed ({type(error).__name__}).") from None


async def _json(response: httpx.Response) -> Json:
    body = await _read(response, ANSWER_MAX_BYTES)
    if body is None:
        raise Rejected(f"Xero's answer is larger than {ANSWER_MAX_BYTES} bytes.", code="answer_too_large")
    return parse(body)


async def _read(response: httpx.Response, max_bytes: int) -> bytes | None:
    """The whole body, or None as soon as it is known to be larger than `max_bytes`."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > max_bytes:
            return None
    return bytes(body)


async def _start(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) >= REFUSAL_MAX_BYTES:
            break
    return bytes(body)


def _query(
    page: int, page_size: int, where: str | None, order: str | None, ids: Sequence[str], *, include_archived: bool
) -> dict[str, str]:
    query = {
        "page": str(page),
        "pageSize": str(page_size),
        "where": where,
        "order": order,
        "IDs": ",".join(ids),
        "includeArchived": "true" if include_archived else None,
    }
    return {name: value for name, value in query.items() if value}


def _part(given: str) -> str:
    """One segment of a path: an id that holds a slash or dots asks for nothing but itself."""
    if given in {"", ".", ".."}:
        raise ValueError("an id is needed")
    return quote(given, safe="")


def _second(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
