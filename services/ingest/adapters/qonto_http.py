"""Reads Qonto's supplier invoices with a token that auth lends for each call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from libs.contracts.errors import ConsentLost, Malformed
from libs.contracts.identity import RecordKind
from libs.qonto import wire
from libs.qonto.client import PER_PAGE_MAX, QontoClient
from libs.qonto.words import object_in
from services.ingest.ports import Page, TokenLender

_BORROWER: Final = "ingest"


@dataclass(frozen=True)
class QontoOverHttp:
    """The Qonto side of ingest."""

    client: QontoClient
    lender: TokenLender

    async def records(self, workspace: UUID, kind: RecordKind, *, page: int, since: datetime | None) -> Page:
        """A page of supplier invoices changed at or after an instant.

        A token that Qonto refuses is reported to auth, and the call is made once more with the one lent then.

        Raises:
            ConsentLost: Qonto refused the fresh token too, or auth has none to lend.
            Transient: The network failed, or Qonto is down or busy.
            Rejected: Qonto refused the request, or there are no lists of this kind (`no_such_list`).
            Malformed: The answer is not of the shape Qonto promises.
        """
        if kind != "supplier_invoice":
            raise Malformed(f"Qonto has no list of {kind}s.", code="no_such_list")
        lent = await self.lender.lend(_BORROWER, workspace, "qonto")
        try:
            answer = await self._asked(lent.secret, page, since)
        except ConsentLost:
            await self.lender.refused(workspace, "qonto", lent.secret)
            lent = await self.lender.lend(_BORROWER, workspace, "qonto")
            answer = await self._asked(lent.secret, page, since)
        return Page([_words(invoice) for invoice in answer.invoices], _pages(answer))

    async def _asked(self, token: str, page: int, since: datetime | None) -> wire.Page:
        return await self.client.list_supplier_invoices(
            token, updated_from=since, sort_by="updated_at:asc", page=page, per_page=PER_PAGE_MAX
        )


def _words(invoice: wire.SupplierInvoice) -> Mapping[str, Any]:
    """Qonto's own object, each number as the text it was written in."""
    return object_in(invoice.raw.encode())


def _pages(answer: wire.Page) -> int:
    if answer.total_count is None:
        raise Malformed("Qonto's list does not say how many supplier invoices it holds.", code="no_total_count")
    return -(-answer.total_count // PER_PAGE_MAX)
