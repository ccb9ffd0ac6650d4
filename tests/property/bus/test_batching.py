"""A model of a group that reads a log to its end: nothing is skipped, taken twice or taken out of order."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from libs.bus.batching import of_one_workspace, read_through
from libs.eventlog.port import Position, RawDelivery, Slice

NAMES = UUID(int=1)
WORKSPACES = [uuid5(NAMES, name) for name in "abc"]

# A bucket is a row of events: each of a workspace, and wanted or not.
buckets = st.dictionaries(
    st.integers(0, 5), st.lists(st.tuples(st.sampled_from(WORKSPACES), st.booleans()), min_size=1, max_size=12)
)


def _log_of(rows: Mapping[int, list[tuple[UUID, bool]]]) -> dict[int, list[RawDelivery]]:
    return {
        bucket: [
            RawDelivery(
                Position("ingest", "wanted" if wanted else "other", bucket, sequence),
                workspace,
                uuid5(NAMES, f"{bucket}/{sequence}"),
                b"",
            )
            for sequence, (workspace, wanted) in enumerate(events, start=1)
        ]
        for bucket, events in rows.items()
    }


def _read(log: Mapping[int, list[RawDelivery]], after: Mapping[int, int], share: int) -> Slice:
    """What a reader promises: up to `share` wanted events of each bucket, and how far each was looked through."""
    deliveries: list[RawDelivery] = []
    through: dict[int, int] = {}
    for bucket, events in log.items():
        behind = events[after.get(bucket, 0) :]
        wanted = [raw for raw in behind if raw.position.topic == "wanted"][:share]
        deliveries += wanted
        if behind:
            through[bucket] = wanted[-1].position.sequence if len(wanted) == share else len(events)
    return Slice(tuple(deliveries), through)


@given(buckets, st.integers(1, 6))
def test_a_group_takes_every_wanted_event_once_and_in_order(
    rows: dict[int, list[tuple[UUID, bool]]], share: int
) -> None:
    log = _log_of(rows)
    cursor: dict[int, int] = {}
    dealt_with: list[RawDelivery] = []
    while (piece := _read(log, cursor, share)).through:
        taken = of_one_workspace(piece.deliveries)
        moved = read_through(piece, taken) if taken else piece.through
        assert len({raw.workspace for raw in taken}) <= 1
        assert moved, "a turn that moves nothing would be repeated for ever"
        assert all(cursor.get(bucket, 0) < at <= piece.through[bucket] for bucket, at in moved.items())
        cursor.update(moved)
        dealt_with += taken
    for bucket, events in log.items():
        here = [raw for raw in dealt_with if raw.position.bucket == bucket]
        assert here == [raw for raw in events if raw.position.topic == "wanted"]
        assert cursor[bucket] == len(events)


@given(buckets, st.integers(1, 6))
def test_a_cursor_never_passes_what_was_left(rows: dict[int, list[tuple[UUID, bool]]], share: int) -> None:
    piece = _read(_log_of(rows), {}, share)
    taken = of_one_workspace(piece.deliveries)
    moved = read_through(piece, taken)
    left = set(piece.deliveries) - set(taken)
    assert all(raw.position.sequence > moved.get(raw.position.bucket, 0) for raw in left)
    assert all(raw.position.sequence <= moved[raw.position.bucket] for raw in taken)
