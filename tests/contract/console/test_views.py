"""The console's rows and its queue, over both forms."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from libs.contracts.errors import Rejected, Stale
from libs.contracts.events import SignedOff
from libs.crypto.keyring import Sealer
from libs.runtime.clock import ManualClock
from services.console.adapters.memory import MemoryViewStore
from services.console.adapters.postgres import PostgresViewStore
from services.console.domain.view import BillView
from services.console.flow.sign_off import SignOff
from services.console.ports import ViewStore
from tests.support.forms import Form
from tests.support.memory import MemoryFixture
from tests.unit.console.test_view import _START, _at, _bill, _decided, _view


def _store(form: Form) -> ViewStore:
    return MemoryViewStore() if isinstance(form, MemoryFixture) else PostgresViewStore(form.sealer)


async def _queue(form: Form, *views: BillView, workspace: UUID | None = None) -> SignOff:
    database, store = await form.database("console"), _store(form)
    async with database.transaction(workspace or form.workspace) as tx:
        await store.save(tx, views)
    return SignOff(database=database, log=form.log("console"), store=store, clock=ManualClock(_START))


def _waiting(record: str = "xero/bill/b1", number: str = "A-1") -> BillView:
    return _view(_at(0, _bill(1, number)), _at(1, _decided(1))).model_copy(update={"record": record})


async def test_a_bill_is_found_by_record_id_or_number_in_any_case(form: Form) -> None:
    queue = await _queue(form, _waiting())
    for name in ("xero/bill/b1", "b1", "a-1"):
        assert (await queue.bill(form.workspace, name)).record == "xero/bill/b1"


async def test_a_number_of_two_bills_is_refused_with_both_ids(form: Form) -> None:
    queue = await _queue(form, _waiting("xero/bill/b1"), _waiting("xero/bill/b2"))
    with pytest.raises(Rejected, match=r"2 bills have this number.*b[12], b[12]"):
        await queue.bill(form.workspace, "A-1")


async def test_an_answer_is_on_record_once(form: Form) -> None:
    queue = await _queue(form, _waiting())
    await queue.answer(form.workspace, "b1", "post", by="ada", note="seen it")
    assert await queue.waiting(form.workspace, limit=10) == []
    with pytest.raises((Rejected, Stale)):
        await queue.answer(form.workspace, "b1", "never", by="bob")
    reader = await form.reader()
    [raw] = (await reader.read("console", {}, topic="match.signed_off.v1", limit=10)).deliveries
    event = (await reader.open(raw)).envelope.payload
    assert isinstance(event, SignedOff)
    assert (event.answer, event.by, event.note, event.generation) == ("post", "ada", "seen it", 1)


async def test_a_workspace_sees_nothing_of_another(form: Form) -> None:
    queue = await _queue(form, _waiting())
    stranger = uuid4()
    assert await queue.count_waiting(form.workspace) == 1
    assert await queue.count_waiting(stranger) == 0
    with pytest.raises(Rejected) as refusal:
        await queue.bill(stranger, "b1")
    assert refusal.value.code == "no_such_bill"


async def test_nothing_a_customer_wrote_lies_open_in_a_row(postgres: Form) -> None:
    await _queue(postgres, _waiting(number="SECRET-77"))
    assert isinstance(postgres.sealer, Sealer)
    admin = await postgres.admin()  # type: ignore[union-attr]
    [row] = await admin.fetch("SELECT bill_view::text AS whole FROM console.bill_view")
    assert "SECRET-77" not in row["whole"]
    assert b"SECRET-77".hex() not in row["whole"]
