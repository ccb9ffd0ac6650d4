"""Supplier invoices over HTTP, with tokens that auth lends."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest

from libs.contracts.errors import ConsentLost, Transient
from libs.contracts.identity import Provider
from libs.crypto.lent import LentToken
from libs.qonto.client import QontoClient
from libs.qonto.standin import running_standin
from services.ingest.adapters.qonto_http import QontoOverHttp
from tests.contract.ingest.conftest import NOW, Kept
from tests.support.web import web_client

pytestmark = pytest.mark.parametrize("backend", ["memory"], indirect=True)


@dataclass
class Lender:
    """Lends tokens it is given and notes which were refused."""

    tokens: list[str]
    refusals: list[str] = field(default_factory=list)

    async def lend(self, borrower: str, workspace: UUID, provider: Provider) -> LentToken:
        assert (borrower, provider) == ("ingest", "qonto")
        assert workspace
        if not self.tokens:
            raise ConsentLost("Connect Qonto again.")
        return LentToken(self.tokens[0], "org", NOW)

    async def refused(self, workspace: UUID, provider: Provider, secret: str) -> None:
        assert workspace
        assert provider == "qonto"
        self.refusals.append(secret)
        self.tokens.pop(0)


async def test_supplier_invoices_come_from_qonto_page_by_page(kept: Kept) -> None:
    async with running_standin() as qonto, web_client() as http:
        records = [{"id": str(uuid4()), "status": "to_review", "file_name": f"{n}.pdf"} for n in range(230)]
        (await http.post(f"{qonto.url}/_standin/records", json={"supplier_invoices": records})).raise_for_status()
        reader = QontoOverHttp(QontoClient(http, qonto.url), Lender([qonto.token()]))
        pages = [await reader.records(kept.workspace, "supplier_invoice", page=n, since=None) for n in (1, 2, 3)]
        assert {page.page_count for page in pages} == {3}
        assert {record["id"] for page in pages for record in page.records} == {record["id"] for record in records}
        later = NOW.replace(year=2100)
        assert (await reader.records(kept.workspace, "supplier_invoice", page=1, since=later)).page_count == 0


async def test_a_token_that_qonto_refuses_is_reported_and_the_call_made_once_more(kept: Kept) -> None:
    async with running_standin() as qonto, web_client() as http:
        lender = Lender(["stale", qonto.token()])
        reader = QontoOverHttp(QontoClient(http, qonto.url), lender)
        await reader.records(kept.workspace, "supplier_invoice", page=1, since=None)
        assert lender.refusals == ["stale"]


async def test_a_second_refusal_at_qonto_is_reported_too_and_is_tried_again(kept: Kept) -> None:
    async with running_standin() as qonto, web_client() as http:
        lender = Lender(["stale", "stale too"])
        with pytest.raises(Transient):
            await QontoOverHttp(QontoClient(http, qonto.url), lender).records(
                kept.workspace, "supplier_invoice", page=1, since=None
            )
        assert lender.refusals == ["stale", "stale too"]
