"""Lines in a Faust table, as bytes: so they lie in Kafka and in memory.

A key is `bucket (1) | workspace (16) | record key (the rest)`, a line `time (8) | step (1) | sequence (8)` for each of
its moments, all big-endian. A change here wants another `FORMAT`, so that everything is read again.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, MutableMapping
from typing import Final
from uuid import UUID

from services.insights.domain.lines import Line, Moment, RecordKey, Step

FORMAT: Final = 1
"""Counts the ways that lines were written; it stands in the name of the group, and so of the table."""

_MOMENT: Final = struct.Struct(">qBQ")

_RECORD_KEY_AT: Final = 17
"""Bytes before the record key: one of the bucket and 16 of the workspace."""


def packed_key(key: RecordKey) -> bytes:
    """A key as bytes."""
    return bytes([key.bucket]) + key.workspace.bytes + key.record_key


def unpacked_key(packed: bytes) -> RecordKey:
    """The key again."""
    return RecordKey(packed[0], UUID(bytes=packed[1:_RECORD_KEY_AT]), packed[_RECORD_KEY_AT:])


def packed_line(line: Line) -> bytes:
    """A line as bytes."""
    return b"".join(_MOMENT.pack(*moment) for moment in line)


def unpacked_line(packed: bytes) -> Line:
    """The line again."""
    return tuple(Moment(at_ms, Step(step), sequence) for at_ms, step, sequence in _MOMENT.iter_unpack(packed))


class PackedLines:
    """Lines in a table of bytes.

    Args:
        table: Faust's keeps each change in Kafka, in the partition of the message that is being taken.
    """

    def __init__(self, table: MutableMapping[bytes, bytes]) -> None:
        self._table = table

    def get(self, key: RecordKey) -> Line:
        """A record's line; empty when there is none."""
        return unpacked_line(self._table.get(packed_key(key), b""))

    def put(self, key: RecordKey, line: Line) -> None:
        """Keep a record's line."""
        self._table[packed_key(key)] = packed_line(line)

    def drop(self, key: RecordKey) -> None:
        """Forget a record."""
        del self._table[packed_key(key)]

    def items(self) -> Iterable[tuple[RecordKey, Line]]:
        """All of them."""
        return ((unpacked_key(key), unpacked_line(line)) for key, line in self._table.items())

    def __len__(self) -> int:
        """How many there are."""
        return len(self._table)
