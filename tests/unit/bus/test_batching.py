"""Which deliveries share a transaction, on a few that can be read at a glance."""

from __future__ import annotations

from uuid import UUID

from libs.bus.batching import of_one_workspace, read_through
from libs.eventlog.port import Position, RawDelivery, Slice

OURS, THEIRS = UUID(int=1), UUID(int=2)


def _raw(bucket: int, sequence: int, workspace: UUID = OURS, log: str = "ingest") -> RawDelivery:
    return RawDelivery(Position(log, "t", bucket, sequence), workspace, UUID(int=sequence), b"")


def test_nothing_gives_nothing() -> None:
    assert of_one_workspace([]) == []


def test_a_bucket_gives_its_events_up_to_the_first_of_another_workspace() -> None:
    ours, theirs, behind = _raw(3, 1), _raw(3, 2, THEIRS), _raw(3, 3)
    other_bucket = _raw(4, 7)
    assert of_one_workspace([ours, theirs, behind, other_bucket]) == [ours, other_bucket]


def test_the_same_bucket_of_another_log_is_another_bucket() -> None:
    ours, theirs, elsewhere = _raw(3, 1), _raw(3, 2, THEIRS), _raw(3, 2, log="matcher")
    assert of_one_workspace([ours, theirs, elsewhere]) == [ours, elsewhere]


def test_a_bucket_that_was_emptied_is_read_through_over_what_nobody_wanted() -> None:
    taken = _raw(3, 5)
    piece = Slice((taken,), {3: 9, 4: 2})
    assert read_through(piece, [taken]) == {3: 9, 4: 2}


def test_a_bucket_with_deliveries_left_is_read_to_the_last_taken() -> None:
    taken, left = _raw(3, 5), _raw(3, 8, THEIRS)
    assert read_through(Slice((taken, left), {3: 9}), [taken]) == {3: 5}


def test_a_bucket_of_which_nothing_was_taken_stays_where_it_is() -> None:
    taken, left = _raw(3, 5), _raw(4, 1, THEIRS)
    assert read_through(Slice((taken, left), {3: 9, 4: 6}), [taken]) == {3: 9}
