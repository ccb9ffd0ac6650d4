"""What both forms of the pusher's store promise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from uuid import uuid4

import pytest

from libs.contracts.errors import Stale
from services.pusher.domain.bill import Bill
from services.pusher.domain.posting import LIVE, Posting, State
from services.pusher.domain.retrying import LONGEST_WAIT_SECONDS
from tests.contract.pusher.stage import Rows
from tests.unit.pusher.stories import BILL, NOW, decided, fetched, missing, posting

WHOLE = replace(
    posting(State.UNKNOWN),
    file_name="INV-1-0123456789ab.pdf",
    account="org",
    attempt=2,
    lost=1,
    looks=3,
    first_sent_at=NOW,
    last_sent_at=NOW + timedelta(seconds=7),
    due_at=NOW + timedelta(seconds=9),
    invoice_id="q1",
    attachment_id="a1",
    code="no_answer",
    sentence="Qonto did not answer.",
)


async def test_a_posting_comes_back_as_it_was_put(rows: Rows) -> None:
    async with rows.database.transaction(rows.workspace) as tx:
        await rows.store.add(tx, [WHOLE])
    async with rows.database.transaction(rows.workspace) as tx:
        assert await rows.store.hold_postings(tx, [BILL]) == [WHOLE]


async def test_bills_come_back_as_they_were_put_and_are_made_when_asked(rows: Rows) -> None:
    known = Bill(BILL).deciding(decided()).documented(fetched())
    other = Bill("xero/bill/b2").deciding(decided()).documented(missing())
    records = [BILL, "xero/bill/b2", "xero/bill/b3"]
    async with rows.database.transaction(rows.workspace) as tx:
        assert await rows.store.hold_bills(tx, records) == []
        assert await rows.store.hold_bills(tx, records, make=records[:2]) == [Bill(BILL), Bill("xero/bill/b2")]
        await rows.store.put_bills(tx, [known, other])
    async with rows.database.transaction(rows.workspace) as tx:
        assert await rows.store.hold_bills(tx, records, make=[BILL]) == [known, other]


async def test_a_change_based_on_an_older_version_is_refused_whole(rows: Rows) -> None:
    mine, other = WHOLE, replace(posting(State.SETTLED, generation=2), due_at=NOW)
    async with rows.database.transaction(rows.workspace) as tx:
        await rows.store.add(tx, [mine, other])
        (saved,) = await rows.store.save(tx, [replace(mine, looks=4)])
        assert (saved.looks, saved.version) == (4, 1)
    with pytest.raises(Stale):
        await _saved(rows, replace(other, looks=1), replace(mine, looks=9))
    async with rows.database.transaction(rows.workspace) as tx:
        assert await rows.store.hold_postings(tx, [BILL]) == [saved, other]


async def _saved(rows: Rows, *postings: Posting) -> None:
    async with rows.database.transaction(rows.workspace) as tx:
        await rows.store.save(tx, postings)


async def _added(rows: Rows, *postings: Posting) -> None:
    async with rows.database.transaction(rows.workspace) as tx:
        for each in postings:
            await rows.store.add(tx, [each])


async def test_a_bill_never_has_two_live_postings(rows: Rows) -> None:
    for number, (first, second) in enumerate(product(sorted(LIVE), repeat=2)):
        record = f"xero/bill/{number}"
        one, two = (
            replace(posting(state, generation=generation), record=record)
            for generation, state in enumerate((first, second), start=1)
        )
        with pytest.raises(Stale):
            await _added(rows, one, two)


async def test_a_decision_is_answered_by_one_posting(rows: Rows) -> None:
    with pytest.raises(Stale):
        await _added(rows, posting(State.WITHDRAWN), posting(State.REJECTED))


async def test_due_postings_are_taken_longest_due_first_and_by_state(rows: Rows) -> None:
    def due(state: State, generation: int, seconds: float | None) -> Posting:
        due_at = None if seconds is None else NOW + timedelta(seconds=seconds)
        return replace(posting(state, generation=generation), due_at=due_at, record=f"xero/bill/{generation}")

    postings = [
        due(State.INTENDED, 1, 0),
        due(State.INTENDED, 2, -5),
        due(State.INTENDED, 3, 1),
        due(State.UNKNOWN, 4, -9),
        due(State.SETTLED, 5, None),
        due(State.INTENDED, 6, LONGEST_WAIT_SECONDS),
        due(State.SETTLED, 7, LONGEST_WAIT_SECONDS + 1),  # put off by a clock that has gone back since
    ]
    async with rows.database.transaction(rows.workspace) as tx:
        await rows.store.add(tx, postings)
    async with rows.database.transaction(rows.workspace) as tx:
        taken = await rows.store.take(tx, {State.INTENDED, State.SETTLED}, NOW, 10)
        assert [each.generation for each in taken] == [2, 1, 7]
        assert [each.generation for each in await rows.store.take(tx, {State.INTENDED}, NOW, 1)] == [2]
        assert await rows.store.any_due(tx, {State.UNKNOWN}, NOW)
        assert await rows.store.any_due(tx, {State.SETTLED}, NOW)
        assert not await rows.store.any_due(tx, {State.SETTLED}, NOW + timedelta(seconds=1))


async def test_counts_tell_every_state_and_the_bills_that_wait(rows: Rows) -> None:
    async with rows.database.transaction(rows.workspace) as tx:
        await rows.store.hold_bills(tx, [BILL], make=[BILL])
        await rows.store.put_bills(tx, [Bill(BILL).deciding(decided())])
        await rows.store.add(tx, [posting(State.VERIFIED), posting(State.REJECTED, generation=2)])
        counts = await rows.store.counts(tx)
    assert set(counts) == set(State)
    assert {state for state, count in counts.items() if count} == {State.WAITING, State.VERIFIED, State.REJECTED}


async def test_another_workspace_sees_none_of_it(rows: Rows) -> None:
    async with rows.database.transaction(rows.workspace) as tx:
        await rows.store.hold_bills(tx, [BILL], make=[BILL])
        await rows.store.add(tx, [WHOLE])
    async with rows.database.transaction(uuid4()) as tx:
        assert await rows.store.hold_bills(tx, [BILL]) == []
        assert await rows.store.hold_postings(tx, [BILL]) == []
        assert await rows.store.take(tx, set(State), NOW + timedelta(days=1), 10) == []
        assert not any((await rows.store.counts(tx)).values())
