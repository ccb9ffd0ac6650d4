"""Which deliveries may share a transaction. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from libs.eventlog.port import Lane, RawDelivery, Slice


def of_one_workspace(deliveries: Sequence[RawDelivery]) -> list[RawDelivery]:
    """The leading deliveries of each lane that belong to the workspace of the first delivery.

    A transaction belongs to one workspace and a position only moves forward, so a lane can give no more than its
    deliveries up to the first of another workspace.
    """
    if not deliveries:
        return []
    workspace = deliveries[0].workspace
    ended: set[Lane] = set()
    taken = []
    for raw in deliveries:
        if raw.workspace != workspace:
            ended.add(raw.position.lane)
        elif raw.position.lane not in ended:
            taken.append(raw)
    return taken


def read_through(piece: Slice, taken: Sequence[RawDelivery]) -> Mapping[int, int]:
    """How far each bucket of a slice is dealt with when `taken` are.

    A bucket whose deliveries were all taken is read through to where the slice ends, over events nobody wanted; one
    with deliveries left is read to its last taken one.
    """
    last_wanted = {raw.position.bucket: raw.position.sequence for raw in piece.deliveries}
    last_taken = {raw.position.bucket: raw.position.sequence for raw in taken}
    return {
        bucket: end if last_wanted.get(bucket) == last_taken.get(bucket) else last_taken[bucket]
        for bucket, end in piece.through.items()
        if last_wanted.get(bucket) == last_taken.get(bucket) or bucket in last_taken
    }
