"""What is awkward ends in a named state, with a sentence a book-keeper understands, and nothing else stops."""

from __future__ import annotations

import base64
from datetime import date
from typing import Any
from uuid import uuid4

from libs.contracts.errors import Rejected
from libs.contracts.money import Money
from libs.paper import Paper, render_bill
from services.console.domain.view import BillView
from tests.contract.journeys.stage import Customer, Stage, bill_of, running_stage
from tests.contract.pusher.stage import blank_page
from tests.support.postgres import PostgresFixture
from tests.support.until import until

CUSTOMER = Customer(uuid4(), "cccccccc-0000-4000-8000-0000000000cc", str(uuid4()), "Courgette", 10)
GOOD, EDITED, VOIDED_LATE, VOIDED, NO_PDF, HUGE, BROKEN, CURRENCY, BLANK, AFTER = range(10)


def _paper(number: int) -> dict[str, Any]:
    total = Money(minor=10050 + 7900 * number, currency="EUR")
    paper = Paper(
        supplier_name="Courgette Papier",
        number=f"Courgette-{number}",
        issue_date=date(2026, 10, 1),
        currency="EUR",
        net=total,
        tax=Money(minor=0, currency="EUR"),
        total=total,
        padding_bytes=25_000_000 if number == HUGE else 0,
    )
    return paper.model_dump(mode="json")


def _document(number: int) -> dict[str, Any]:
    whole = render_bill(Paper.model_validate(_paper(GOOD)))
    bytes_of = {BROKEN: whole[:200], BLANK: blank_page()}
    files = {which: {"content_base64": base64.b64encode(file).decode()} for which, file in bytes_of.items()}
    content: dict[str, Any] = files.get(number, {"paper": _paper(number)})
    return {
        "invoice_id": CUSTOMER.bill_ids()[number],
        "attachment_id": f"cccccccc-2222-4000-8000-{number:012d}",
        "file_name": f"Courgette-{number}.pdf",
        "mime_type": "application/pdf",
        **content,
    }


def _bill(number: int, **changed: object) -> dict[str, Any]:
    return bill_of(CUSTOMER, number, **{"HasAttachments": number != NO_PDF, **changed})


async def _view(stage: Stage, number: int) -> BillView:
    return await stage.well.services.console.queue.bill(CUSTOMER.workspace, CUSTOMER.bill_ids()[number])


async def _stands(stage: Stage, number: int, *, verdict: str, reason: str, posting: str | None = None) -> BillView:
    """The view of a bill as soon as it stands like this."""
    wanted = (verdict, reason, posting)
    seen: list[object] = []

    async def look() -> bool:
        try:
            view = await _view(stage, number)
        except Rejected:
            return False  # not heard of yet
        decision = view.decision
        seen.append((decision.verdict, decision.reason, view.posting) if decision else None)
        return seen[-1] == wanted

    try:
        await until(look, deadline_seconds=30)
    except AssertionError:
        raise AssertionError(f"bill {number} stands at {seen[-1:]}") from None
    return await _view(stage, number)


async def test_each_awkward_bill_ends_in_a_named_state_and_nothing_else_stops(postgres: PostgresFixture) -> None:
    async with running_stage(postgres.dsn) as stage:
        documented = [number for number in range(AFTER) if number != NO_PDF]
        await stage.open_for(
            CUSTOMER,
            contacts=[bill_of(CUSTOMER, 0)["Contact"]],
            invoices=[
                _bill(GOOD),
                _bill(EDITED),
                _bill(VOIDED_LATE),
                _bill(VOIDED, Status="VOIDED"),
                _bill(NO_PDF),
                _bill(HUGE),
                _bill(BROKEN),
                _bill(CURRENCY, CurrencyCode="XQZ"),
                _bill(BLANK),
            ],
            attachments=[_document(number) for number in documented],
        )
        await _what_is_wrong_from_the_start(stage)
        await _what_changes_after_posting(stage)
        await _a_revoked_token(stage)
        assert len(await stage.uploads()) == 5


async def _what_is_wrong_from_the_start(stage: Stage) -> None:
    for number in (GOOD, EDITED, VOIDED_LATE):
        await _stands(stage, number, verdict="post", reason="not_at_qonto", posting="verified")
    assert "voided" in (await _stands(stage, VOIDED, verdict="ineligible", reason="voided")).why
    assert "no document" in (await _stands(stage, NO_PDF, verdict="review", reason="no_document")).why
    assert "XQZ" in (await _stands(stage, CURRENCY, verdict="ineligible", reason="unknown_currency")).why
    huge = await _stands(stage, HUGE, verdict="post", reason="not_at_qonto", posting="rejected")
    assert "10 MB" in huge.why
    assert huge.waits
    broken = await _stands(stage, BROKEN, verdict="post", reason="not_at_qonto", posting="rejected")
    assert "cannot be opened" in broken.why
    assert broken.waits
    blank = await _stands(stage, BLANK, verdict="post", reason="not_at_qonto", posting="unchecked")
    assert "by eye" in blank.why
    assert blank.waits


async def _what_changes_after_posting(stage: Stage) -> None:
    await stage.book(CUSTOMER, invoices=[_bill(EDITED, Total="999.00")])
    await stage.book(CUSTOMER, invoices=[_bill(VOIDED_LATE, Status="VOIDED")])
    edited = await _stands(stage, EDITED, verdict="review", reason="changed_after_posting", posting="verified")
    assert "999.00" in edited.why
    voided = await _stands(stage, VOIDED_LATE, verdict="review", reason="voided_after_posting", posting="verified")
    assert "voided" in voided.why


async def _a_revoked_token(stage: Stage) -> None:
    """Both providers revoke; what comes meanwhile waits, and is posted once after a person has connected again."""
    await stage.tell_qonto("revoke", {"organization": CUSTOMER.organization})
    await stage.tell_xero("revoke", {"tenant_id": CUSTOMER.tenant})
    await stage.book(CUSTOMER, invoices=[_bill(AFTER)], attachments=[_document(AFTER)])
    auth = stage.well.services.auth

    async def both_lost() -> bool:
        states = [await auth.connection_state(CUSTOMER.workspace, provider) for provider in ("xero", "qonto")]
        return states == ["lost", "lost"]

    await until(both_lost, deadline_seconds=30)
    status = await stage.well.status.of(CUSTOMER.workspace)
    assert status["connections"] == {"xero": "lost", "qonto": "lost"}
    await stage.connect(CUSTOMER)
    await _stands(stage, AFTER, verdict="post", reason="not_at_qonto", posting="verified")
