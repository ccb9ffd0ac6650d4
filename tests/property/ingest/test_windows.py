"""No record is lost to paging, however the list shifts while it is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.windows import Closed, Window, after_page, opened

PAGE_SIZE = 3
START = datetime(2026, 1, 1, tzinfo=UTC)
OVERLAP_SECONDS = 2.0

CHANGES = st.lists(st.lists(st.integers(0, 40), max_size=4), max_size=60)
"""For each call, the records that change right after it; numbers above the first count are new records."""


class ShiftingList:
    """A provider's list: records by the second they last changed in."""

    def __init__(self, count: int) -> None:
        self.now = START
        self.changed_at = {record: START - timedelta(seconds=60 - record) for record in range(count)}

    def page(self, window: Window) -> tuple[list[int], int]:
        rows = sorted(self.changed_at, key=lambda record: (self.changed_at[record], record))
        asked = [row for row in rows if window.since is None or self.changed_at[row] >= window.since]
        first = (window.page - 1) * PAGE_SIZE
        return asked[first : first + PAGE_SIZE], -(-len(asked) // PAGE_SIZE)

    def pass_time(self, changing: list[int]) -> None:
        self.now += timedelta(seconds=1)
        self.changed_at.update(dict.fromkeys(changing, self.now))


def read_window(shifting: ShiftingList, window: Window, changes: list[list[int]]) -> dict[int, datetime]:
    """Read one window to its end; gives each record's newest change that was seen."""
    seen: dict[int, datetime] = {}
    while True:
        rows, pages = shifting.page(window)
        seen |= {row: shifting.changed_at[row] for row in rows}
        shifting.pass_time(changes.pop() if changes else [])
        following = after_page("qonto", window, page_count=pages, changed=len(rows))
        if isinstance(following, Closed):
            return seen
        window = following


def next_window(shifting: ShiftingList, last: datetime | None, number: int) -> Window:
    return opened("qonto", last, number=number, now=shifting.now, overlap_seconds=OVERLAP_SECONDS)


@given(st.integers(0, 30), CHANGES)
def test_a_window_has_all_that_changed_before_it_was_opened(count: int, changes: list[list[int]]) -> None:
    shifting = ShiftingList(count)
    before = dict(shifting.changed_at)
    seen = read_window(shifting, next_window(shifting, None, 1), changes)
    assert set(before) <= set(seen) | {row for row in before if shifting.changed_at[row] > START}
    assert all(seen[row] >= before[row] for row in before if row in seen)


@given(st.integers(0, 30), CHANGES)
def test_once_nothing_changes_any_more_one_further_window_has_it_all(count: int, changes: list[list[int]]) -> None:
    shifting = ShiftingList(count)
    seen: dict[int, datetime] = {}
    last, number = None, 1
    while changes:
        window = next_window(shifting, last, number)
        seen |= read_window(shifting, window, changes)
        last, number = window.opened_at, number + 1
    seen |= read_window(shifting, next_window(shifting, last, number), [])
    assert seen == shifting.changed_at


@given(st.integers(0, 30), CHANGES)
def test_a_record_stamped_in_the_future_does_not_hide_what_changes_before_it(
    count: int, changes: list[list[int]]
) -> None:
    # UpdatedDateUTC may lie in the future. Source: Xero-NetStandard#598.
    shifting = ShiftingList(count)
    shifting.changed_at[99] = START + timedelta(days=1)
    seen: dict[int, datetime] = {}
    last, number = None, 1
    while changes:
        window = next_window(shifting, last, number)
        seen |= read_window(shifting, window, changes)
        last, number = window.opened_at, number + 1
    for _ in range(2):
        window = next_window(shifting, last, number)
        seen |= read_window(shifting, window, [])
        last, number = window.opened_at, number + 1
    assert seen == shifting.changed_at


@given(st.integers(0, 12), st.integers(0, 12))
def test_a_window_costs_one_call_a_page_and_one_more_when_there_are_several(contacts: int, bills: int) -> None:
    # 1,000 changed bills on one page of 1,000, no contact changed: two calls.
    window = opened("xero", START, number=2, now=START, overlap_seconds=1)
    calls, following = 0, None
    while not isinstance(following, Closed):
        pages = contacts if window.kind == "contact" else bills
        following = after_page("xero", window, page_count=pages, changed=0)
        calls += 1
        window = following.window if isinstance(following, Closed) else following
    assert calls == sum(1 if pages <= 1 else pages + 1 for pages in (contacts, bills))


def test_barriers_are_said_for_the_first_window_and_later_only_for_changes() -> None:
    def closed(number: int, changed: int) -> Closed:
        window = Window(number=number, since=None, opened_at=START, kind="supplier_invoice")
        following = after_page("qonto", window, page_count=1, changed=changed)
        assert isinstance(following, Closed)
        return following

    assert [closed(1, 0).announced, closed(2, 0).announced, closed(2, 1).announced] == [True, False, True]
