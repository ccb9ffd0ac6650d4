"""What Well itself uploaded and posted is evidence for bills that come later, and not for bills that were there."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from libs.contracts.upload_name import upload_name
from tests.contract.matcher.test_flows import arrived, intended, ready
from tests.support.forms import Form, form
from tests.support.matching import NOON, a_bill, an_invoice

__all__ = ["form"]

MINUTE = timedelta(minutes=1)
OURS = upload_name("bill", UUID(int=1), "pdf")


@pytest.mark.parametrize(
    ("file_name", "created_at", "verdict"),
    [
        (OURS, NOON - MINUTE, "review"),
        (OURS, NOON + MINUTE, "post"),
        (OURS, None, "review"),
        ("scan.pdf", NOON + MINUTE, "review"),
    ],
    ids=["ours, there before", "ours, meanwhile", "ours, at some time", "somebody else's, meanwhile"],
)
async def test_an_upload_of_ours_is_compared_with_bills_that_came_after_it_alone(
    form: Form, file_name: str, created_at: object, verdict: str
) -> None:
    workspace = await ready(form, a_bill(number=None))
    await workspace.posted("bill-1", intended(), arrived("invoice-9"))
    await workspace.learn(an_invoice("invoice-9", number=None, file_name=file_name, created_at=created_at))
    await workspace.learn(a_bill("bill-2", number=None))
    await workspace.decide()
    assert (await workspace.decision("bill-2")).verdict == verdict


async def test_once_decided_a_bill_is_decided_anew_with_all_that_is_there(form: Form) -> None:
    workspace = await ready(form, a_bill(number=None), a_bill("bill-2", number=None, has_document=False))
    await workspace.posted("bill-1", intended(), arrived("invoice-9"))
    later = an_invoice("invoice-9", number=None, file_name=OURS, created_at=NOON + MINUTE)
    await workspace.learn(later)
    await workspace.decide()
    decision = await workspace.decision("bill-2")
    assert (decision.generation, decision.reason) == (2, "rivals_too_close")


async def test_a_bill_posted_meanwhile_is_a_rival_still_and_one_posted_before_is_none(form: Form) -> None:
    workspace = await ready(form, a_bill(number="F-2026-0118"), an_invoice())
    await workspace.posted("bill-1", intended(), arrived())
    await workspace.learn(a_bill("bill-2", number="F-2026-0119"))
    await workspace.learn(a_bill("bill-3", number="F-2026-0120"), said_at=NOON - MINUTE)
    await workspace.decide()
    told = [(await workspace.decision(id_)).candidates[0].evidence[-1].level for id_ in ("bill-2", "bill-3")]
    assert told == ["0 other supplier invoices, 1 other bills", "0 other supplier invoices, 2 other bills"]
