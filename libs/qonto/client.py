"""Qonto's Business API for the two who need it: the reader of supplier invoices and their one writer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import httpx

from libs.contracts.errors import Malformed, OutcomeUnknown, Rejected, Transient
from libs.qonto import wire
from libs.qonto.refusals import refusal_of_read, refusal_of_upload
from libs.qonto.upload import Upload, UploadOutcome, check_limits, outcomes_in, parts_of
from libs.qonto.words import NotJson, Record, object_in, verbatim

PER_PAGE_MAX: Final = 100
"""Invoices a page. Source: docs.qonto.com, "Pagination": 1 to 100."""

ANSWER_MAX_BYTES: Final = 16_000_000
"""Bytes of an answer: a page of 100 invoices at 160 kB each, far above what one with its related invoices takes."""

READ_SECONDS: Final = 60.0
"""Seconds for one read, to its last byte. A page takes a second; the limits of the HTTP client begin anew with each
byte, and whoever waits here keeps a turn of the few that workspaces have at a time."""

STAGING_HEADER: Final = "X-Qonto-Staging-Token"
"""What the sandbox wants with every call, those for tokens too. Source: docs.qonto.com, base URLs."""

_OFF_THE_WIRE: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""Failures before the first byte left: nothing can have happened at Qonto."""


class QontoClient:
    """Asks Qonto; the token is given with each call and kept nowhere.

    Reads may raise:

    - Transient: the network failed, Qonto is down or busy (then with the wait it asks for), or a page of HTML answered;
    - ConsentLost: the token is no longer honoured;
    - Rejected: `forbidden`, `not_found`, the word Qonto gave, or `http_<status>`;
    - Malformed: the answer is JSON of a shape that Qonto does not promise.

    Intentional: no retries and no pacing in here. Who calls knows what waits and whether it may be sent again.

    Args:
        http: Makes the requests, with its own timeouts; its owner closes it.
        api_url: Which Qonto, without `/v2`.
        staging_token: What the sandbox wants in a header of every call; None elsewhere, since production refuses it.
        read_seconds: How long a read may take.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        api_url: str,
        staging_token: str | None = None,
        *,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._http = http
        self._read_seconds = read_seconds
        self._v2 = f"{api_url.rstrip('/')}/v2"
        self._headers = {"Accept": "application/json"}
        if staging_token is not None:
            self._headers[STAGING_HEADER] = staging_token

    async def upload(
        self, token: str, uploads: Sequence[Upload], *, skip_attachment_matcher: bool | None = None
    ) -> list[UploadOutcome]:
        """Upload files, each to become a supplier invoice; the outcomes stand in the order of `uploads`.

        Qonto itself decides what a repeated key means: within 30 minutes the first answer again, later a new invoice.
        `skip_attachment_matcher` keeps Qonto from tying the files to payments; None leaves it at Qonto's default.

        Raises:
            OutcomeUnknown: it was sent and no answer, or none that accounts for every file, came. Look first.
            Transient: nothing was sent, or Qonto's limit of calls is reached; nothing was done.
            ConsentLost: the token is no longer honoured; nothing was done.
            Rejected: our limits or Qonto refused the request as a whole; nothing was done.
        """
        if not uploads:
            return []
        check_limits(uploads)
        request = self._http.build_request(
            "POST",
            f"{self._v2}/supplier_invoices/bulk",
            headers=self._with(token),
            files=parts_of(uploads, skip_attachment_matcher=skip_attachment_matcher),
        )
        try:
            response, body = await self._answer(request)
        except _OFF_THE_WIRE as error:
            raise Transient(f"Qonto could not be reached ({type(error).__name__}); nothing was sent.") from None
        except httpx.RequestError as error:
            raise OutcomeUnknown(f"An upload to Qonto was sent and no answer came ({type(error).__name__}).") from None
        if body is None:
            raise OutcomeUnknown("Qonto's answer to an upload is larger than any should be.")
        if response.status_code != HTTPStatus.OK:
            raise refusal_of_upload(response.status_code, response.headers, body)
        return outcomes_in(body, uploads)

    async def list_supplier_invoices(
        self,
        token: str,
        *,
        updated_from: datetime | None = None,
        updated_to: datetime | None = None,
        created_from: datetime | None = None,
        attachment_ids: Sequence[str] = (),
        status: Sequence[str] = (),
        sort_by: str = "updated_at:asc",
        page: int = 1,
        per_page: int = PER_PAGE_MAX,
    ) -> wire.Page:
        """A page of supplier invoices. Pages shift while rows change: bound the window and read an overlap again.

        Raises:
            Malformed: an invoice has no id, or the page after this one is not a later one.
            Transient: it is another page than was asked for.
        """
        query: dict[str, str | Sequence[str]] = {"page": str(page), "per_page": str(per_page), "sort_by": sort_by}
        bounds = {"updated_at_from": updated_from, "updated_at_to": updated_to, "created_at_from": created_from}
        query |= {f"filter[{name}]": _instant(moment) for name, moment in bounds.items() if moment is not None}
        query |= {"filter[attachment_id][]": attachment_ids, "filter[status][]": status}
        body, answer = await self._read("GET", "/supplier_invoices", token, query)
        if not isinstance(answer.get("supplier_invoices"), list):
            raise Malformed("Qonto's list of supplier invoices holds no list.", code="unexpected_shape")
        meta = answer.get("meta")
        wire.check_page(meta, page)
        return wire.Page(
            invoices=tuple(wire.supplier_invoice(*entry) for entry in verbatim(body, "supplier_invoices")),
            next_page=wire.next_page_in(meta, page),
            total_count=wire.count_in(meta.get("total_count")) if isinstance(meta, dict) else None,
        )

    async def get_supplier_invoice(self, token: str, invoice_id: str) -> wire.SupplierInvoice:
        """One supplier invoice."""
        return wire.supplier_invoice(
            *await self._one(token, f"/supplier_invoices/{_part(invoice_id)}", "supplier_invoice")
        )

    async def organization(self, token: str) -> wire.Organization:
        """The organization this token is bound to."""
        return wire.organization(*await self._one(token, "/organization", "organization"))

    async def attachment(self, token: str, attachment_id: str) -> wire.Attachment:
        """A file Qonto holds, with an address for its bytes that is good for 30 minutes."""
        return wire.attachment(*await self._one(token, f"/attachments/{_part(attachment_id)}", "attachment"))

    async def revoke_consent(self, token: str) -> None:
        """Take back what the person granted; every token of the grant dies. ConsentLost means it already was."""
        await self._read("DELETE", "/oauth2/consents", token)

    async def _one(self, token: str, path: str, key: str) -> tuple[Record, str]:
        body, _ = await self._read("GET", path, token)
        found = verbatim(body, key)
        if len(found) != 1:
            raise Malformed(f"Qonto's answer holds no {key}.", code="unexpected_shape")
        return found[0]

    async def _read(
        self, method: str, path: str, token: str, query: Mapping[str, str | Sequence[str]] | None = None
    ) -> tuple[bytes, Record]:
        """The body of a good answer, and what it says; an empty one says nothing."""
        request = self._http.build_request(method, f"{self._v2}{path}", headers=self._with(token), params=query)
        try:
            async with asyncio.timeout(self._read_seconds):
                response, body = await self._answer(request)
        except (httpx.RequestError, TimeoutError) as error:
            raise Transient(f"The network to Qonto failed ({type(error).__name__}).") from None
        if body is None:
            raise Rejected(f"Qonto's answer is larger than {ANSWER_MAX_BYTES} bytes.", code="answer_too_large")
        if response.status_code == HTTPStatus.NO_CONTENT:
            return body, {}
        if response.status_code != HTTPStatus.OK:
            raise refusal_of_read(response.status_code, response.headers, body)
        try:
            return body, object_in(body)
        except NotJson:
            raise Transient("Qonto answered with something that is not JSON: a login or a proxy's page.") from None

    async def _answer(self, request: httpx.Request) -> tuple[httpx.Response, bytes | None]:
        """The answer and its body, None when too large. Redirects are not followed: the token goes to Qonto alone."""
        response = await self._http.send(request, stream=True, follow_redirects=False)
        try:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > ANSWER_MAX_BYTES:
                    return response, None
            return response, bytes(body)
        finally:
            await response.aclose()

    def _with(self, token: str) -> dict[str, str]:
        return {**self._headers, "Authorization": f"Bearer {token}"}


def _part(given: str) -> str:
    """One segment of a path: an id that holds a slash or dots asks for nothing but itself."""
    if given in {"", ".", ".."}:
        raise ValueError("an id is needed")
    return quote(given, safe="")


def _instant(moment: datetime) -> str:
    """RFC 3339 in UTC, with the fraction it has: rounding down would read a change again, rounding up would miss it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
