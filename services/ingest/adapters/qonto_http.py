"""Reads Qonto's supplier invoices with a token that auth lends for each call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from libs.contracts.errors import ConsentLost, Malformed, Transient
from libs.contracts.identity import RecordKind
from libs.qonto import wire
from libs.qonto.client import PER_PAGE_MAX, QontoClient
from libs.qonto.words import object_in
from services.ingest.ports import Page, TokenLender

_BORROWER: Final = "ingest"

_TOKENS: Final = 2
"""Tokens tried for one call: the one at hand, and the one that auth lends after a refusal."""


@dataclass(frozen=True)
class QontoOverHttp:
    """The Qonto side of ingest."""

    client: QontoClient
    lender: TokenLender

    async def records(self, workspace: UUID, kind: RecordKind, *, page: int, since: datetime | None) -> Page:
        """A page of supplier invoices changed at or after an instant.

        A token that Qonto refuses is reported to auth, and the call is made once more with the one lent then. It is
        auth who says whether the consent rests or is lost.

        Raises:
            ConsentLost: Auth has no token to lend any more.
            Transient: The network failed, Qonto is down or busy, or it refused two tokens in a row.
            Rejected: Qonto refused the request, or there are no lists of this kind (`no_such_list`).
            Malformed: The answer is not of the shape Qonto promises.
        """
        if kind != "supplier_invoice":
            raise Malformed(f"Qonto has no list of {kind}s.", code="no_such_list")
        for _ in range(_TOKENS):
            answer = await self._asked(workspace, page, since)
            if answer is not None:
                return Page([_words(invoice) for invoice in answer.invoices], _pages(answer))
        raise Transient("Qonto refused two tokens in a row; the next call is made with another.")

    async def _asked(self, workspace: UUID, page: int, since: datetime | None) -> wire.Page | None:
        """The answer, or None when the token was refused."""
        lent = await self.lender.lend(_BORROWER, workspace, "qonto")
        try:
            return await self.client.list_supplier_invoices(
                lent.secret, updated_from=since, sort_by="updated_at:asc", page=page, per_page=PER_PAGE_MAX
            )
        except ConsentLost:
            await self.lender.refused(workspace, "qonto", lent.secret)
            return None


def _words(invoice: wire.SupplierInvoice) -> Mapping[str, Any]:
    """Qonto's own object, each number as the text it was written in."""
    return object_in(invoice.raw.encode())


def _pages(answer: wire.Page) -> int:
    if answer.total_count is None:
        raise Malformed("Qonto's list does not say how many supplier invoices it holds.", code="no_total_count")
    return -(-answer.total_count // PER_PAGE_MAX)
