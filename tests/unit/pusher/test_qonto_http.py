"""What the adapter does with answers that a stand-in does not give."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import UUID

import httpx
import pytest

from libs.contracts.errors import OutcomeUnknown, Stale, Transient
from libs.crypto.lent import LentToken
from libs.qonto.client import QontoClient
from services.pusher.adapters.qonto_http import QontoOverHttp
from services.pusher.ports import Upload
from tests.unit.pusher.stories import NOW, WORKSPACE

UPLOAD = Upload(UUID(int=7), "org", "INV-1-000000000000.pdf", b"%PDF-", "application/pdf")


class Lender:
    """Lends a new token each time."""

    def __init__(self) -> None:
        self.lent = 0
        self.refusals = 0

    async def lend(self, borrower: str, workspace: UUID, provider: str) -> LentToken:
        """The next token."""
        assert (borrower, workspace, provider) == ("pusher", WORKSPACE, "qonto")
        self.lent += 1
        return LentToken(f"token-{self.lent}", "org", NOW)

    async def refused(self, workspace: UUID, provider: str, secret: str) -> None:
        """Nothing to do: the next one is another."""
        assert (workspace, provider, secret) == (WORKSPACE, "qonto", f"token-{self.lent}")
        self.refusals += 1


def qonto(answer: Callable[[httpx.Request], httpx.Response]) -> tuple[QontoOverHttp, Lender]:
    """The adapter before a Qonto that answers so."""
    lender = Lender()
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return QontoOverHttp(QontoClient(http, "https://qonto.test"), lender), lender


def page(count: int, *, total: int, next_page: int | None = None) -> httpx.Response:
    """A page of a list."""
    invoices = [{"id": f"q{number}"} for number in range(count)]
    meta = {"next_page": next_page, "total_count": total}
    return httpx.Response(200, content=json.dumps({"supplier_invoices": invoices, "meta": meta}))


async def test_a_list_that_ends_before_its_own_count_is_not_believed() -> None:
    reader, _ = qonto(lambda _: page(3, total=4))
    with pytest.raises(Transient, match="could not be read to its end"):
        await reader.created_since(WORKSPACE, "org", NOW)


async def test_a_list_that_never_ends_is_given_up() -> None:
    reader, lender = qonto(lambda request: page(1, total=10**6, next_page=int(request.url.params["page"]) + 1))
    with pytest.raises(Transient, match="could not be read to its end"):
        await reader.created_since(WORKSPACE, "org", NOW)
    assert lender.lent == 500


async def test_a_list_of_a_shape_that_qonto_does_not_promise_is_no_proof_of_absence() -> None:
    reader, _ = qonto(lambda _: httpx.Response(200, content=b'{"supplier_invoices": null}'))
    with pytest.raises(Transient):
        await reader.created_since(WORKSPACE, "org", NOW)


@pytest.mark.parametrize("meta", [None, {}, {"next_page": None}, {"total_count": "none"}, []])
async def test_a_list_that_does_not_say_how_many_it_holds_is_no_proof_of_absence(meta: object) -> None:
    reader, _ = qonto(lambda _: httpx.Response(200, json={"supplier_invoices": [], "meta": meta}))
    with pytest.raises(Transient, match="could not be read to its end"):
        await reader.created_since(WORKSPACE, "org", NOW)


async def test_a_second_refusal_is_told_and_is_no_reason_to_send_a_person_to_reconnect() -> None:
    writer, lender = qonto(lambda _: httpx.Response(401, json={"errors": []}))
    with pytest.raises(Transient):
        await writer.upload(WORKSPACE, UPLOAD)
    assert (lender.lent, lender.refusals) == (2, 2)


async def test_an_answer_that_tells_of_no_invoice_and_no_error_leaves_the_outcome_unknown() -> None:
    writer, _ = qonto(lambda _: httpx.Response(200, json={"supplier_invoices": [], "errors": []}))
    with pytest.raises(OutcomeUnknown):
        await writer.upload(WORKSPACE, UPLOAD)


async def test_nothing_is_sent_to_another_organization_than_was_meant() -> None:
    writer, _ = qonto(lambda _: pytest.fail("a request left"))
    with pytest.raises(Stale):
        await writer.upload(WORKSPACE, Upload(UPLOAD.key, "another", UPLOAD.file_name, b"%PDF-", UPLOAD.mime_type))
