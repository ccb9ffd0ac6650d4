"""The arithmetic of a log: places without gaps, positions that only move forward."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.errors import Stale
from libs.contracts.events import ConsentRevoked
from libs.eventlog.numbering import numbered, split_consumed
from libs.eventlog.port import Consumed, Position

WORKSPACE = UUID(int=7)


def _event(record: str) -> Envelope:
    return enveloped(
        ConsentRevoked(provider="xero"),
        workspace=WORKSPACE,
        record=record,
        cause=uuid4(),
        occurred_at=datetime(2026, 3, 2, tzinfo=UTC),
    )


@given(st.lists(st.sampled_from([f"xero/bill/{bill}" for bill in range(8)]), max_size=30), st.integers(0, 9))
def test_events_follow_the_heads_in_the_order_they_were_given_and_leave_no_gap(records: list[str], head: int) -> None:
    events = [_event(record) for record in records]
    heads = {event.bucket: head for event in events}
    placed = numbered("ingest", events, heads)
    assert [position.bucket for position in placed] == [event.bucket for event in events]
    for bucket in heads:
        here = [position.sequence for position in placed if position.bucket == bucket]
        assert here == list(range(head + 1, head + 1 + len(here)))
    assert set(heads.values()) <= {head}, "the heads that were handed in are left alone"


def _consumed(*places: tuple[str, str, int, int]) -> Consumed:
    return Consumed("matcher.decide", tuple(Position(*place) for place in places))


def test_a_lane_moves_to_the_furthest_of_its_positions() -> None:
    consumed = _consumed(("ingest", "t", 3, 5), ("ingest", "t", 3, 4), ("ingest", "t", 4, 1), ("pusher", "t", 3, 2))
    assert split_consumed(consumed, {("ingest", "t", 3): 3}) == {
        ("ingest", "t", 3): 5,
        ("ingest", "t", 4): 1,
        ("pusher", "t", 3): 2,
    }


def test_what_was_seen_before_moves_nothing() -> None:
    assert (
        split_consumed(
            _consumed(("ingest", "t", 3, 5), ("ingest", "t", 4, 1)), {("ingest", "t", 3): 5, ("ingest", "t", 4): 9}
        )
        == {}
    )
    assert split_consumed(_consumed(), {}) == {}


def test_a_batch_seen_in_part_must_be_read_again() -> None:
    with pytest.raises(Stale):
        split_consumed(_consumed(("ingest", "t", 3, 5), ("ingest", "t", 4, 1)), {("ingest", "t", 4): 1})
