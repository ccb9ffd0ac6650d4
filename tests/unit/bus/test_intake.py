"""What a member has received: dropped when seen, refused when something before it is missing, counted as offsets."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from libs.bus.kafka.intake import Intake
from libs.bus.kafka.message import LogRow
from libs.eventlog.port import Position, RawDelivery

OURS, THEIRS = UUID(int=1), UUID(int=2)
PLACE = ("xero.raw.v1", 0)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def _event(bucket: int, sequence: int, *, previous: int | None = None, workspace: UUID = OURS) -> LogRow:
    position = Position("ingest", "xero.raw.v1", bucket, sequence)
    raw = RawDelivery(position, workspace, UUID(int=sequence), b"sealed")
    return LogRow(raw, "RecordPulled", NOON, b"key", sequence - 1 if previous is None else previous)


def _begun(position: int = 0, offset: int = 0) -> Intake:
    intake = Intake()
    intake.begin({PLACE: offset}, {("ingest", "xero.raw.v1", 3): position})
    return intake


def test_what_the_group_has_dealt_with_is_dropped_and_passed() -> None:
    intake = _begun(position=2)
    assert intake.take_in(PLACE, 0, _event(3, 1))
    assert intake.take_in(PLACE, 1, _event(3, 2))
    assert len(intake) == 0
    assert intake.next_offsets() == {PLACE: 2}


def test_what_comes_twice_is_taken_once() -> None:
    intake = _begun()
    for offset in (0, 1):
        assert intake.take_in(PLACE, offset, _event(3, 1))
    assert [raw.position.sequence for raw in intake.batch(10)] == [1]
    assert intake.next_offsets() == {PLACE: 0}


def test_a_message_whose_predecessor_was_not_seen_is_refused_and_changes_nothing() -> None:
    intake = _begun(position=2)
    assert not intake.take_in(PLACE, 7, _event(3, 5, previous=4))
    assert len(intake) == 0
    assert intake.next_offsets() == {PLACE: 0}


def test_what_follows_a_hole_is_passed_and_taken_once_what_was_missing_has_come() -> None:
    intake = _begun()
    for offset, sequence in enumerate((3, 4)):
        intake.pass_hole(PLACE, offset, _event(3, sequence))
    assert intake.take_in(PLACE, 2, _event(4, 1))
    assert intake.holes_before({PLACE: 4}) == []
    assert intake.holes_before({PLACE: 3}) == [(PLACE, 0)]
    for offset, sequence in enumerate((1, 2, 3, 4), start=3):
        assert intake.take_in(PLACE, offset, _event(3, sequence))
    assert intake.holes_before({PLACE: 7}) == []
    assert [raw.position.sequence for raw in intake.batch(10)] == [1, 1, 2, 3, 4]


def test_a_start_reads_again_from_the_first_message_behind_a_hole() -> None:
    intake = _begun(offset=10)
    intake.pass_over(PLACE, 10)
    intake.pass_hole(PLACE, 11, _event(3, 3))
    assert intake.take_in(PLACE, 12, _event(4, 1))
    intake.done(intake.batch(10))
    assert intake.has_holes
    assert intake.next_offsets() == {PLACE: 11}


def test_sequences_of_other_topics_between_two_events_are_no_gap() -> None:
    intake = _begun(position=2)
    assert intake.take_in(PLACE, 0, _event(3, 9, previous=2))
    assert len(intake) == 1


def test_the_offset_to_go_on_from_is_that_of_the_first_event_not_dealt_with() -> None:
    intake = _begun(offset=10)
    intake.take_in(PLACE, 10, _event(3, 1))
    intake.take_in(PLACE, 11, _event(4, 1, workspace=THEIRS))
    intake.take_in(PLACE, 12, _event(3, 2))
    taken = intake.batch(10)
    assert [raw.workspace for raw in taken] == [OURS, OURS]
    intake.done(taken)
    assert intake.next_offsets() == {PLACE: 11}
    intake.done(intake.batch(10))
    assert intake.next_offsets() == {PLACE: 13}


def test_a_message_that_is_none_of_ours_is_passed() -> None:
    intake = _begun(offset=10)
    intake.pass_over(PLACE, 10)
    assert intake.next_offsets() == {PLACE: 11}


def test_after_it_is_cleared_it_holds_nothing() -> None:
    intake = _begun()
    intake.take_in(PLACE, 0, _event(3, 1))
    intake.clear()
    assert (len(intake), intake.next_offsets(), intake.holds(PLACE)) == (0, {}, False)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(1, 5), st.data())
def test_whatever_is_sent_twice_each_lane_is_dealt_with_once_and_in_order(
    buckets: list[int], limit: int, data: st.DataObject
) -> None:
    sent: list[LogRow] = []
    heads: dict[int, int] = {}
    for bucket in buckets:
        heads[bucket] = heads.get(bucket, 0) + 1
        sent.append(_event(bucket, heads[bucket]))
    again = data.draw(st.integers(0, len(sent)))  # a relay that was killed sends a stretch of it again
    intake = Intake()
    intake.begin({PLACE: 0}, {})
    dealt: list[Position] = []
    for offset, event in enumerate([*sent[:again], *sent]):
        assert intake.take_in(PLACE, offset, event)
    while taken := intake.batch(limit):
        dealt += [raw.position for raw in taken]
        intake.done(taken)
    assert len(dealt) == len(sent)
    for bucket, head in heads.items():
        assert [place.sequence for place in dealt if place.bucket == bucket] == list(range(1, head + 1))
    assert intake.next_offsets() == {PLACE: again + len(sent)}
