"""Pulling, over both stores and providers in memory."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from libs.contracts.events import (
    EntityMalformed,
    EntityNormalized,
    EntityWithdrawn,
    RecordPulled,
    WindowNormalized,
    WindowPulled,
)
from libs.contracts.identity import Provider
from services.ingest.adapters.memory_providers import MemoryProvider
from services.ingest.domain.windows import PAGES_MAX
from services.ingest.flow.pull import Puller
from services.ingest.flow.renormalize import Renormalizer
from services.ingest.flow.status import status
from services.ingest.ports import Page
from tests.contract.ingest.conftest import ALL_BUCKETS, NOW, POLL_SECONDS, Kept, barriers, of_type


def bill(number: int, **changed: object) -> dict[str, Any]:
    return {
        "InvoiceID": f"b-{number}",
        "Type": "ACCPAY",
        "Status": "AUTHORISED",
        "CurrencyCode": "EUR",
        "Total": "10.00",
        **changed,
    }


def add_bills(kept: Kept, xero: MemoryProvider, numbers: range, **changed: object) -> None:
    for number in numbers:
        record = bill(number, **changed)
        xero.change(kept.workspace, "bill", f"b-{number}", record, at=kept.clock.now() - timedelta(hours=1))


async def pull_all(puller: Puller) -> int:
    pages = 0
    while done := await puller.step():
        pages += done
    return pages


async def poll(kept: Kept, puller: Puller) -> int:
    kept.clock.advance(POLL_SECONDS)
    return await pull_all(puller)


async def test_a_thousand_changed_bills_cost_two_calls(kept: Kept) -> None:
    # At most 4 Xero calls for 1,000 changed bills, none to post. Source: the design's numbers.
    xero = MemoryProvider()
    puller = kept.puller("xero", xero)
    await pull_all(puller)
    xero.calls.clear()
    for number in range(1000):
        xero.change(kept.workspace, "bill", f"b-{number}", bill(number), at=kept.clock.now())
    await poll(kept, puller)
    assert xero.calls == {"contact": 1, "bill": 1}
    assert len(of_type(await kept.events(), RecordPulled)) == 1000


async def test_a_list_of_more_pages_than_one_can_have_is_not_read_for_weeks(kept: Kept) -> None:
    class Boasts(MemoryProvider):
        async def records(self, *_: object, **__: object) -> Page:
            return Page([], page_count=PAGES_MAX + 1)

    assert await kept.puller("xero", Boasts()).step() == 0
    async with kept.database.transaction(kept.workspace) as tx:
        (pull,) = await kept.store.pulls.all(tx)
    assert "more than 100000 pages" in str(pull.sentence)
    kept.clock.advance(2)
    assert await kept.puller("xero", MemoryProvider()).step() == 1


async def test_an_unchanged_record_makes_no_event(kept: Kept) -> None:
    xero = MemoryProvider()
    puller = kept.puller("xero", xero)
    xero.change(kept.workspace, "bill", "b-1", bill(1), at=NOW)
    await pull_all(puller)
    before = len(await kept.events())
    assert await poll(kept, puller) == 2
    assert xero.calls["bill"] == 2
    assert len(await kept.events()) == before


async def test_an_id_that_nothing_can_hold_parks_its_record_and_stops_no_other(kept: Kept) -> None:
    # Postgres text holds no zero character and UTF-8 no half of a surrogate pair; until this was so, one of them ended
    # the process for every workspace.
    xero = MemoryProvider()
    for number, odd in enumerate(("b\x00-2", "b\ud800-2", "b" * 10_000)):
        xero.change(kept.workspace, "bill", odd, bill(2, InvoiceID=odd, InvoiceNumber=str(number)), at=NOW)
    add_bills(kept, xero, range(1))
    await pull_all(kept.puller("xero", xero))
    await kept.drain(kept.normalizer().subscription())
    events = await kept.events()
    assert [event.payload.code for event in of_type(events, EntityMalformed)] == ["no_id"] * 2  # type: ignore[union-attr]
    assert {event.record for event in of_type(events, EntityNormalized)} == {"xero/bill/b-0", "xero/bill/b?-2"}


async def test_a_changed_record_makes_one_event_with_the_next_version(kept: Kept) -> None:
    xero = MemoryProvider()
    puller = kept.puller("xero", xero)
    xero.change(kept.workspace, "bill", "b-1", bill(1), at=NOW)
    await pull_all(puller)
    xero.change(kept.workspace, "bill", "b-1", bill(1, Total="11.00"), at=NOW + timedelta(seconds=1))
    await poll(kept, puller)
    pulled = of_type(await kept.events(), RecordPulled)
    assert [event.payload.version for event in pulled if isinstance(event.payload, RecordPulled)] == [1, 2]
    assert len({event.id for event in pulled}) == 2


@pytest.mark.parametrize("provider", ["xero", "qonto"])
async def test_the_first_window_says_its_barrier_in_every_bucket_even_when_empty(
    kept: Kept, provider: Provider
) -> None:
    puller = kept.puller(provider, MemoryProvider())
    await pull_all(puller)
    await poll(kept, puller)
    events = await kept.events()
    assert barriers(events, WindowPulled, f"{provider}/1") == ALL_BUCKETS
    assert barriers(events, WindowPulled, f"{provider}/2") == set()


async def test_a_barrier_stands_behind_every_record_of_its_window(kept: Kept) -> None:
    xero = MemoryProvider(page_size=7)
    add_bills(kept, xero, range(40))
    await pull_all(kept.puller("xero", xero))
    by_bucket: dict[int, list[type]] = {}
    for event in await kept.events():
        by_bucket.setdefault(event.bucket, []).append(type(event.payload))
    assert all(types[-1] is WindowPulled for types in by_bucket.values())
    assert len(by_bucket) == len(ALL_BUCKETS)


async def test_records_that_shift_while_paging_are_not_lost(kept: Kept) -> None:
    # Rows shift while paging: bound the window and re-read. Source: docs.qonto.com, pagination; Xero-OpenAPI 16.1.0.
    xero = MemoryProvider(page_size=3)
    add_bills(kept, xero, range(12))
    puller = kept.puller("xero", xero)
    changing = 0
    while await puller.step():
        xero.change(kept.workspace, "bill", f"b-{changing}", bill(changing, Total="99.00"), at=kept.clock.now())
        changing = min(changing + 1, 11)
    await poll(kept, puller)
    await kept.drain(kept.normalizer().subscription())
    totals = {
        event.record: event.payload.entity.total
        for event in of_type(await kept.events(), EntityNormalized)
        if isinstance(event.payload, EntityNormalized) and event.payload.entity.kind == "bill"
    }
    assert len(totals) == 12
    changed = {f"xero/bill/b-{number}" for number in range(changing)}
    assert {record for record, total in totals.items() if str(total) == "EUR 99.00"} >= changed


async def test_a_pull_killed_in_the_middle_of_a_window_goes_on_at_its_page(kept: Kept) -> None:
    xero = MemoryProvider(page_size=3)
    add_bills(kept, xero, range(12))
    first = kept.puller("xero", xero)
    for _ in range(4):
        await first.step()
    asked = xero.calls["bill"]
    await pull_all(kept.puller("xero", xero))
    events = await kept.events()
    assert len(of_type(events, RecordPulled)) == 12
    assert barriers(events, WindowPulled, "xero/1") == ALL_BUCKETS
    assert asked + 2 == xero.calls["bill"] == 5


async def test_two_processes_keep_a_page_once(kept: Kept) -> None:
    class Overtaken(MemoryProvider):
        """While a page is under way, another process keeps it."""

        async def records(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as its parent
            if not self.calls["overtaken"]:
                self.calls["overtaken"] += 1
                await kept.puller("xero", self).step()
            return await super().records(*args, **kwargs)

    xero = Overtaken()
    add_bills(kept, xero, range(3))
    assert await kept.puller("xero", xero).step() == 0
    await pull_all(kept.puller("xero", xero))
    events = await kept.events()
    assert len(of_type(events, RecordPulled)) == 3
    assert barriers(events, WindowPulled, "xero/1") == ALL_BUCKETS


async def test_a_record_stamped_in_the_future_is_read_and_moves_no_cursor(kept: Kept) -> None:
    # UpdatedDateUTC may lie in the future. Source: Xero-NetStandard#598.
    xero = MemoryProvider()
    puller = kept.puller("xero", xero)
    xero.change(kept.workspace, "bill", "b-1", bill(1), at=NOW + timedelta(days=3))
    await pull_all(puller)
    xero.change(kept.workspace, "bill", "b-2", bill(2), at=NOW + timedelta(seconds=5))
    await poll(kept, puller)
    assert len(of_type(await kept.events(), RecordPulled)) == 2


async def test_every_version_is_normalised_even_when_a_newer_one_has_come(kept: Kept) -> None:
    xero = MemoryProvider()
    puller = kept.puller("xero", xero)
    xero.change(kept.workspace, "bill", "b-1", bill(1), at=NOW)
    await pull_all(puller)
    xero.change(kept.workspace, "bill", "b-1", bill(1, Status="VOIDED"), at=NOW + timedelta(seconds=1))
    await poll(kept, puller)
    await kept.drain(kept.normalizer().subscription())
    said = of_type(await kept.events(), EntityNormalized, EntityWithdrawn)
    assert [type(event.payload) for event in said] == [EntityNormalized, EntityWithdrawn]
    events = await kept.events()
    assert barriers(events, WindowNormalized, "xero/1") == ALL_BUCKETS
    assert barriers(events, WindowNormalized, "xero/2") == ALL_BUCKETS


async def test_what_cannot_be_read_is_said_and_stops_nothing(kept: Kept) -> None:
    xero = MemoryProvider()
    xero.change(kept.workspace, "bill", "1", {"Status": "AUTHORISED", "Total": "\ud800"}, at=NOW)
    xero.change(kept.workspace, "bill", "2", bill(2, CurrencyCode="XQQ"), at=NOW)
    xero.change(kept.workspace, "contact", "3", {"ContactID": "c", "Name": "A", "MergedToContactID": "d"}, at=NOW)
    await pull_all(kept.puller("xero", xero))
    await kept.drain(kept.normalizer().subscription())
    said = of_type(await kept.events(), EntityMalformed, EntityNormalized, EntityWithdrawn)
    assert {type(event.payload) for event in said} == {EntityMalformed, EntityNormalized, EntityWithdrawn}
    assert len(said) == 3


async def test_renormalising_says_every_record_anew_without_asking_a_provider(kept: Kept) -> None:
    xero = MemoryProvider()
    add_bills(kept, xero, range(3))
    await pull_all(kept.puller("xero", xero))
    await kept.drain(kept.normalizer().subscription())
    asked = xero.calls.copy()
    renormalizer = Renormalizer(kept.database, kept.log, kept.store, kept.sealer, kept.clock)
    assert await renormalizer.renormalize(kept.workspace) == 3
    kept.clock.advance(1)
    assert await renormalizer.renormalize(kept.workspace) == 3
    said = of_type(await kept.events(), EntityNormalized)
    assert len({event.id for event in said}) == len(said) == 9
    assert len({event.payload.model_dump_json() for event in said}) == 3
    assert xero.calls == asked


async def test_status_tells_what_was_pulled_and_what_is_being_read(kept: Kept) -> None:
    xero = MemoryProvider(page_size=2)
    add_bills(kept, xero, range(5))
    puller = kept.puller("xero", xero)
    await puller.step()
    await puller.step()
    shown = (await status(kept.database, kept.store, kept.workspace)).pulls["xero"]
    assert shown.reading == ("bill", 3)
    assert shown.pulled["bill"] == 2
    await pull_all(puller)
    shown = (await status(kept.database, kept.store, kept.workspace)).pulls["xero"]
    assert (shown.reading, shown.pulled["bill"], shown.windows) == (None, 5, 1)
