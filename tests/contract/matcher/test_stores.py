"""What both forms of the stores promise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from libs.contracts.identity import BUCKETS
from services.matcher.domain.blocking import KEY_HOLDERS_MAX
from services.matcher.domain.standing import InvoiceRow, learnt
from services.matcher.ports import Barrier, Claim, KeyChange
from tests.support.forms import Form, form
from tests.support.matching import NOON, a_bill, an_invoice, open_workspace

__all__ = ["form"]

CAUSE = UUID(int=7)
NONE: frozenset[str] = frozenset()


def gained(id_: str, *keys: str) -> KeyChange:
    return KeyChange(id_, NONE, frozenset(keys))


async def test_a_bill_comes_back_as_it_was_put(form: Form) -> None:
    workspace = await open_workspace(form)
    row = learnt(None, "bill-1", bill=a_bill(), withdrawn=None, version=3, cause=CAUSE, at=NOON)
    async with workspace.database.transaction(workspace.id) as tx:
        await workspace.stores.records.put_bills(tx, [row])
    async with workspace.database.transaction(workspace.id) as tx:
        assert await workspace.stores.records.bills(tx, ["bill-1", "bill-2"]) == {"bill-1": row}
        assert await workspace.stores.records.hold_due_bills(tx, 5) == [row]


async def test_a_supplier_invoice_comes_back_as_it_was_put(form: Form) -> None:
    workspace = await open_workspace(form)
    row = InvoiceRow("invoice-1", 2, an_invoice(), is_withdrawn=True)
    async with workspace.database.transaction(workspace.id) as tx:
        await workspace.stores.records.put_invoices(tx, [row])
        assert await workspace.stores.records.hold_invoices(tx, ["invoice-1"]) == {"invoice-1": row}


async def test_keys_name_their_holders_until_they_are_lost(form: Form) -> None:
    workspace = await open_workspace(form)
    records = workspace.stores.records
    async with workspace.database.transaction(workspace.id) as tx:
        await records.change_keys(tx, "bill", [gained("b", "k1", "k2"), gained("a", "k1")])
        await records.change_keys(tx, "invoice", [gained("x", "k1")])
        await records.change_keys(tx, "bill", [KeyChange("b", frozenset({"k2"}), NONE)])
        found = await records.holders(tx, ["k1", "k2"])
    assert (found["k1"].bills, found["k1"].invoices) == (("a", "b"), ("x",))
    assert found["k2"].bills == ()


async def test_a_common_key_is_cut_one_beyond_its_limit(form: Form) -> None:
    workspace = await open_workspace(form)
    records = workspace.stores.records
    async with workspace.database.transaction(workspace.id) as tx:
        await records.change_keys(tx, "bill", [gained(f"b{n:03d}", "k") for n in range(2 * KEY_HOLDERS_MAX)])
        [found] = (await records.holders(tx, ["k"])).values()
    assert len(found.bills) == KEY_HOLDERS_MAX + 1
    assert not found.tells_apart


async def test_what_well_uploaded_comes_last_and_counts_from_when_it_was_there(form: Form) -> None:
    workspace = await open_workspace(form)
    records = workspace.stores.records
    ours = [NOON + timedelta(minutes=n) for n in range(KEY_HOLDERS_MAX)]
    changes = [replace(gained(f"a{n:03d}", "k"), uploaded_at=at) for n, at in reversed(list(enumerate(ours)))]
    async with workspace.database.transaction(workspace.id) as tx:
        await records.change_keys(tx, "invoice", [*changes, gained("z1", "k"), gained("z0", "k")])
        [found] = (await records.holders(tx, ["k"])).values()
    assert found.invoices == ("z0", "z1")
    assert found.uploaded == tuple((f"a{n:03d}", at) for n, at in enumerate(ours))[: KEY_HOLDERS_MAX - 1]
    assert found.until(ours[1]).invoices == ("z0", "z1", "a000", "a001")
    assert [found.until(at).tells_apart for at in (ours[-3], ours[-2])] == [True, False]


async def test_a_claim_is_kept_by_its_bill_and_refused_to_another(form: Form) -> None:
    workspace = await open_workspace(form)
    store = workspace.stores.decisions
    async with workspace.database.transaction(workspace.id) as tx:
        assert await store.claim(tx, [Claim("x", "a", "matched")]) == {"x"}
        assert await store.claim(tx, [Claim("x", "a", "matched")]) == {"x"}
        assert await store.claim(tx, [Claim("x", "b", "matched")]) == set()
        assert await store.seize(tx, [Claim("x", "b", "posted")]) == {"x": "a"}
        assert await store.release(tx, {"b": None}) == []
        assert await store.claims(tx, ["x"]) == {"x": Claim("x", "b", "posted")}


async def test_a_release_keeps_what_is_still_wanted(form: Form) -> None:
    workspace = await open_workspace(form)
    store = workspace.stores.decisions
    async with workspace.database.transaction(workspace.id) as tx:
        await store.claim(tx, [Claim("x", "a", "matched"), Claim("y", "b", "signed_off")])
        assert await store.release(tx, {"a": "x", "b": "z"}) == [Claim("y", "b", "signed_off")]
        assert set(await store.claims(tx, ["x", "y"])) == {"x"}


async def test_a_window_is_complete_when_every_bucket_was_seen_even_twice(form: Form) -> None:
    workspace = await open_workspace(form)
    windows = workspace.stores.windows
    async with workspace.database.transaction(workspace.id) as tx:
        await windows.see(tx, [Barrier("xero", "w1", bucket) for bucket in range(BUCKETS - 1)])
        await windows.see(tx, [Barrier("xero", "w2", BUCKETS - 1), Barrier("xero", "w1", 0)])
        assert await windows.complete(tx) == frozenset()
        await windows.see(tx, [Barrier("xero", "w1", BUCKETS - 1)])
        assert await windows.complete(tx) == {"xero"}
