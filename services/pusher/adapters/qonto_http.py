"""Qonto over HTTP, with a token lent for each call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from aiolimiter import AsyncLimiter

from libs.contracts.errors import ConsentLost, Malformed, Rejected, Stale, Transient
from libs.contracts.identity import is_another_account
from libs.crypto.lent import LentToken
from libs.qonto import upload as bulk
from libs.qonto.client import QontoClient
from libs.qonto.wire import Amount, Page, SupplierInvoice
from services.pusher.domain.comparing import ReadAmount, ReadBack
from services.pusher.ports import Refused, TokenLender, Upload, Uploaded

T = TypeVar("T")

BORROWER: Final = "pusher"

REQUESTS_PER_10_SECONDS: Final = 500
"""Half of what Qonto takes from one address, 1000 requests in 10 s: ingest reads from the same one.
Source: docs.qonto.com, rate limits."""

PAGES_MAX: Final = 500
"""Pages of one look, 100 invoices each. A window of more than 50,000 invoices could not be read in time."""

SENTENCE_MAX: Final = 400
"""Codepoints of Qonto's own words in a sentence; a sentence of ours holds 600."""


class QontoOverHttp:
    """The pusher's two sides of Qonto.

    A 401 is told to the lender, which refreshes, and the call is made once more: Qonto looks at the token before
    anything else, so a call that met a 401 had no effect. A 403 means that the consent lacks a scope, which only a
    person can mend. A second 401 is told as well: it is the lender who says whether the consent rests or is lost.
    """

    def __init__(self, client: QontoClient, lender: TokenLender) -> None:
        self._client = client
        self._lender = lender
        self._limiter = AsyncLimiter(REQUESTS_PER_10_SECONDS, 10)

    async def account(self, workspace: UUID) -> str:
        """The organization that the workspace's consent opens."""
        return (await self._lender.lend(BORROWER, workspace, "qonto")).account

    async def upload(self, workspace: UUID, upload: Upload) -> Uploaded | Refused:
        """Upload one file; see the port for the errors."""
        file = bulk.Upload(upload.key, upload.file_name, upload.content, upload.mime_type)
        (outcome,) = await self._call(
            workspace, lambda token: self._client.upload(token, [file]), account=upload.account
        )
        if isinstance(outcome, bulk.Accepted):
            return Uploaded(outcome.invoice_id, outcome.attachment_id)
        said = f": {outcome.detail[:SENTENCE_MAX]}" if outcome.detail else ""
        return Refused(outcome.code, f"Qonto refused the document ({outcome.code}){said}.")

    async def created_since(self, workspace: UUID, account: str, since: datetime) -> list[ReadBack]:
        """Every supplier invoice created since an instant; see the port for the errors.

        The order of creation does not change while pages are read; as a check, no fewer invoices may have been seen
        than Qonto counts, and it must count. A look that misses one would lead to a second invoice.
        """
        found: dict[str, ReadBack] = {}
        number = 1
        for _ in range(PAGES_MAX):
            page = await self._page(workspace, account, since, number)
            found |= {invoice.id: _read_back(invoice) for invoice in page.invoices}
            if page.next_page is None and page.total_count is not None and len(found) >= page.total_count:
                return list(found.values())
            if page.next_page is None:
                break
            number = page.next_page
        raise Transient("Qonto's list of supplier invoices could not be read to its end.")

    async def by_attachments(self, workspace: UUID, attachment_ids: Sequence[str]) -> list[ReadBack]:
        """The supplier invoices of these files; see the port for the errors."""
        page = await self._call(
            workspace, lambda token: self._client.list_supplier_invoices(token, attachment_ids=attachment_ids)
        )
        return [_read_back(invoice) for invoice in page.invoices]

    async def _page(self, workspace: UUID, account: str, since: datetime, number: int) -> Page:
        return await self._call(
            workspace,
            lambda token: self._client.list_supplier_invoices(
                token, created_from=since, sort_by="created_at:asc", page=number
            ),
            account=account,
        )

    async def _call(self, workspace: UUID, call: Callable[[str], Awaitable[T]], *, account: str | None = None) -> T:
        try:
            return await self._once(await self._lend(workspace, account), call)
        except _Unauthorized as refused:
            await self._lender.refused(workspace, "qonto", refused.secret)
        try:
            return await self._once(await self._lend(workspace, account), call)
        except _Unauthorized as refused:
            await self._lender.refused(workspace, "qonto", refused.secret)
            raise Transient("Qonto refused two tokens in a row; the next call is made with another.") from None

    async def _once(self, token: LentToken, call: Callable[[str], Awaitable[T]]) -> T:
        try:
            async with self._limiter:
                return await call(token.secret)
        except ConsentLost:
            raise _Unauthorized(token.secret) from None
        except Malformed as error:
            raise Transient(f"Qonto's answer could not be read: {error.sentence}") from error
        except Rejected as error:
            if error.code == "forbidden":
                raise ConsentLost(error.sentence) from error
            raise

    async def _lend(self, workspace: UUID, account: str | None) -> LentToken:
        token = await self._lender.lend(BORROWER, workspace, "qonto")
        if account is not None and is_another_account(account, token.account):
            raise Stale("The workspace was connected to another Qonto organization meanwhile; nothing was sent.")
        return token


class _Unauthorized(Exception):
    def __init__(self, secret: str) -> None:
        super().__init__("401")
        self.secret = secret


def _read_back(invoice: SupplierInvoice) -> ReadBack:
    return ReadBack(
        invoice_id=invoice.id,
        attachment_id=invoice.attachment_id,
        file_name=invoice.file_name,
        analyzed=invoice.analyzed_at is not None,
        number=invoice.invoice_number,
        issue_date=invoice.issue_date,
        due_date=invoice.due_date,
        total=_amount(invoice.total_amount),
        total_tax=_amount(invoice.total_tax_amount),
        is_credit_note=invoice.is_credit_note,
    )


def _amount(amount: Amount | None) -> ReadAmount | None:
    return ReadAmount(amount.value, amount.currency) if amount else None
