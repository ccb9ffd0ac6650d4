"""The Accounting API: lists, single records, attachments. It only reads; writing to it answers 405.

Who may ask and how often is decided before, in `gate`. Source of names, parameters and shapes: Xero-OpenAPI 16.1.0.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from libs.runtime.clock import Clock
from libs.xero.standin import answers, exact_json
from libs.xero.standin.attachments import Attachments
from libs.xero.standin.holdings import Holdings
from libs.xero.standin.kinds import CONTACTS, INVOICES, Kind, without
from libs.xero.standin.selection import UNPAGED_MAX, QueryRefused, Selection, selection_of

API_PATH: Final = "/api.xro/2.0"
TENANT_HEADER: Final = "xero-tenant-id"

_ORGANISATION: Final = f"{API_PATH}/Organisation"
_CONTACTS: Final = f"{API_PATH}/Contacts"
_CONTACT: Final = f"{_CONTACTS}/{{ContactID}}"
_INVOICES: Final = f"{API_PATH}/Invoices"
_INVOICE: Final = f"{_INVOICES}/{{InvoiceID}}"
_ATTACHED: Final = f"{_INVOICE}/Attachments"
_CONTENT: Final = f"{_ATTACHED}/{{AttachmentID}}"

SCOPES: Final = {
    _ORGANISATION: "accounting.settings.read",
    _CONTACTS: CONTACTS.scope,
    _CONTACT: CONTACTS.scope,
    _INVOICES: INVOICES.scope,
    _INVOICE: INVOICES.scope,
    _ATTACHED: "accounting.attachments.read",
    _CONTENT: "accounting.attachments.read",
}
"""The granular scope each path needs. Source: developer.xero.com/documentation/guides/oauth2/scopes."""


class Accounting:
    """Answers for requests the gate let in; the organisation stands in their header."""

    def __init__(self, holdings: Holdings, attachments: Attachments, clock: Clock) -> None:
        self._holdings = holdings
        self._attachments = attachments
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """The paths, as Xero has them."""
        handlers = {
            _ORGANISATION: self._organisation,
            _CONTACTS: self._list(CONTACTS),
            _CONTACT: self._contact,
            _INVOICES: self._list(INVOICES),
            _INVOICE: self._invoice,
            _ATTACHED: self._attached,
            _CONTENT: self._content,
        }
        return [web.get(path, handler, allow_head=False) for path, handler in handlers.items()]

    def _list(self, kind: Kind) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            try:
                selection = selection_of(kind, request.query, request.headers.get("If-Modified-Since"))
            except QueryRefused as refused:
                return answers.api_exception("QueryParseException", answers.QUERY_ERROR, str(refused))
            return self._listed(kind, request.headers[TENANT_HEADER], selection)

        return answer

    def _listed(self, kind: Kind, tenant_id: str, selection: Selection) -> web.Response:
        total = self._holdings.how_many(kind, tenant_id, selection)
        if selection.page is None and total > UNPAGED_MAX:
            sentence = f"The request touches more than {UNPAGED_MAX} documents. Use paging."
            return answers.api_exception("HighVolumeException", answers.HIGH_VOLUME_ERROR, sentence)
        bodies = self._holdings.page(kind, tenant_id, selection)
        if selection.page is None:
            bodies = [without(body, kind.unpaged_lacks) for body in bodies]
            return answers.enveloped(kind.name, bodies, self._clock.now())
        if selection.summary_only:
            bodies = [without(body, kind.summary_lacks) for body in bodies]
        stands = {
            "page": selection.page,
            "pageSize": selection.page_size,
            "pageCount": -(-total // selection.page_size),
            "itemCount": total,
        }
        return answers.enveloped(kind.name, bodies, self._clock.now(), stands)

    async def _invoice(self, request: web.Request) -> web.Response:
        tenant_id, invoice_id = request.headers[TENANT_HEADER], request.match_info["InvoiceID"]
        body = self._holdings.record(INVOICES, tenant_id, invoice_id)
        if body is None:
            return answers.not_found()
        attached = self._attachments.of(tenant_id, invoice_id, _api_url(request))
        if attached:
            body = exact_json.dumps({**exact_json.loads(body), "Attachments": attached})
        return answers.enveloped(INVOICES.name, [body], self._clock.now())

    async def _contact(self, request: web.Request) -> web.Response:
        body = self._holdings.record(CONTACTS, request.headers[TENANT_HEADER], request.match_info["ContactID"])
        return answers.not_found() if body is None else answers.enveloped(CONTACTS.name, [body], self._clock.now())

    async def _organisation(self, request: web.Request) -> web.Response:
        body = self._holdings.organisation(request.headers[TENANT_HEADER])
        return answers.not_found() if body is None else answers.enveloped("Organisations", [body], self._clock.now())

    async def _attached(self, request: web.Request) -> web.Response:
        tenant_id, invoice_id = request.headers[TENANT_HEADER], request.match_info["InvoiceID"]
        if self._holdings.record(INVOICES, tenant_id, invoice_id) is None:
            return answers.not_found()
        attached = self._attachments.of(tenant_id, invoice_id, _api_url(request))
        return answers.enveloped("Attachments", [exact_json.dumps(one) for one in attached], self._clock.now())

    async def _content(self, request: web.Request) -> web.Response:
        found = self._attachments.content(
            request.headers[TENANT_HEADER], request.match_info["InvoiceID"], request.match_info["AttachmentID"]
        )
        if found is None:
            return answers.not_found()
        body, mime_type = found
        return web.Response(body=body, headers={"Content-Type": mime_type})


def needs_json(template: str) -> bool:
    """Whether the answer is JSON for those who accept it; the content of an attachment is what it is."""
    return template != _CONTENT


def _api_url(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}{API_PATH}"
