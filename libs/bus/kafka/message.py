"""An event of a log as a message on Kafka, and back. Pure.

The key keeps a record's events in order for whoever partitions by it, the value is the sealed event as it lies in the
log, and the headers say in the open what may be known without the workspace's key: CloudEvents' attributes, the place
in the log, and the trace. What other teams may count on stands in docs/asyncapi.json.

Source: CloudEvents' Kafka protocol binding 1.0.2, section 3.2 (binary mode: `ce_` before every attribute's name, but
`content-type` for `datacontenttype`), https://github.com/cloudevents/spec; https://www.w3.org/TR/trace-context/.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, TypeAlias
from uuid import UUID

from libs.contracts.errors import Malformed
from libs.contracts.identity import BUCKETS, derived_bytes
from libs.crypto.seal import BLIND_BYTES
from libs.eventlog.port import Position, RawDelivery

SEALED_TYPE: Final = "application/vnd.well.sealed"
"""The media type of the value: `libs/crypto/seal.py` says what lies where in it."""

SEQUENCE_MAX: Final = 2**63 - 1
"""What Postgres keeps a sequence in holds no more."""

HEADERS: Final = (
    "ce_specversion",
    "ce_id",
    "ce_source",
    "ce_type",
    "ce_time",
    "ce_subject",
    "content-type",
    "well_log",
    "well_workspace",
    "well_bucket",
    "well_sequence",
    "well_previous",
)
"""The headers that every message has, each once; `traceparent` comes on top."""

Headers: TypeAlias = Sequence[tuple[str, bytes | None]]

_UUID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

_NUMBER: Final = "0|[1-9][0-9]{0,18}"

_WRITTEN: Final = {
    name: re.compile(pattern)
    for name, pattern in zip(
        HEADERS,
        (
            r"1\.0",
            _UUID,
            "/well/[a-z][a-z_]{0,62}",  # a service's name; 63 bytes are the most that Postgres takes for its schema
            "well\\.[A-Z][A-Za-z0-9]{0,62}",  # the name of an event's class
            r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.(?!000000)[0-9]{6})?Z",
            f"[0-9a-f]{{{2 * BLIND_BYTES}}}",
            re.escape(SEALED_TYPE),
            "[a-z][a-z_]{0,62}",
            _UUID,
            _NUMBER,
            _NUMBER,
            _NUMBER,
        ),
        strict=True,
    )
}
"""How each header is written, and in no other way: what is read from it writes the same again."""

_CACHED_WORKSPACES: Final = 1024
"""Workspaces whose ids are read once. As many as have their keys in memory."""


@dataclass(frozen=True)
class LogRow:
    """An event with all that its log says of it in the open.

    Attributes:
        raw: The sealed event and where it stands.
        event_type: The event's type, such as `MatchDecided`.
        occurred_at: When it was decided.
        record_key: The blinded name of its record; equal for all events of one record, and readable for nobody.
        previous: The sequence of the event before it of the same log, topic and bucket; 0 when it is the first.
    """

    raw: RawDelivery
    event_type: str
    occurred_at: datetime
    record_key: bytes
    previous: int


@dataclass(frozen=True)
class Message:
    """What Kafka carries; from a broker, any part may be missing."""

    key: bytes | None
    value: bytes | None
    headers: Headers


def partition_of(bucket: int, partitions: int) -> int:
    """The partition of a topic that carries a bucket: every event of one bucket goes the same way."""
    return bucket % partitions


def message_of(row: LogRow) -> Message:
    """The message that tells of an event. The same row makes the same bytes, however often it is sent."""
    headers = _headers(row) | {"traceparent": traceparent_of(row)}
    return Message(_key(row), row.raw.sealed, tuple((name, text.encode()) for name, text in headers.items()))


def traceparent_of(row: LogRow) -> str:
    """The place of an event in the trace of its record: all events of a record are one trace, each a span of its own.

    Neither id can be all zeros, which W3C forbids: both are cut so that bits which every UUIDv5 sets stay in them. The
    flag says sampled, since every event is on record.
    """
    trace = derived_bytes("trace", row.raw.workspace, row.record_key.hex())
    span = derived_bytes("span", row.raw.event_id)
    return f"00-{trace.hex()}-{span[8:].hex()}-01"


def row_of(message: Message, topic: str) -> LogRow:
    """The event that a message tells of.

    A message is read only if it is, header for header, the one that its row makes. Headers that are not ours are let
    pass, and so is any `traceparent`: what stands between may add the one and begin the other anew, as W3C allows.

    Args:
        message: As it came.
        topic: The topic it came by, in the registry's words, without the prefix of the cluster.

    Raises:
        Malformed: `message_header` when a header is missing, said twice, or is none that we write; `message_key` and
            `message_value` likewise. The sentence names the header and never its content.
    """
    told = _told(message.headers)
    if not message.value:
        raise Malformed(f"A message of {topic} has no value.", code="message_value")
    log, workspace, subject = told["well_log"], told["well_workspace"], told["ce_subject"]
    if told["ce_source"] != f"/well/{log}":
        raise _odd("ce_source")
    if message.key != f"{workspace}/{subject}".encode():
        raise Malformed(f"The key of a message of {topic} is not what its headers say.", code="message_key")
    sequence = _number(told, "well_sequence", 1, SEQUENCE_MAX)
    position = Position(log, topic, _number(told, "well_bucket", 0, BUCKETS - 1), sequence)
    return LogRow(
        RawDelivery(position, _workspace(workspace), UUID(told["ce_id"]), message.value),
        told["ce_type"].removeprefix("well."),
        _instant(told["ce_time"]),
        bytes.fromhex(subject),
        _number(told, "well_previous", 0, sequence - 1),
    )


def _key(row: LogRow) -> bytes:
    return f"{row.raw.workspace}/{row.record_key.hex()}".encode()


def _headers(row: LogRow) -> dict[str, str]:
    position = row.raw.position
    said = (
        "1.0",
        str(row.raw.event_id),
        f"/well/{position.log}",
        f"well.{row.event_type}",
        row.occurred_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        row.record_key.hex(),
        SEALED_TYPE,
        position.log,
        str(row.raw.workspace),
        str(position.bucket),
        str(position.sequence),
        str(row.previous),
    )
    return dict(zip(HEADERS, said, strict=True))


def _told(headers: Headers) -> Mapping[str, str]:
    """The headers that are ours, as text; each is there once, and written as we write it."""
    told: dict[str, str] = {}
    for name, value in headers:
        written = _WRITTEN.get(name)
        if written is None:
            continue
        if name in told or value is None or not value.isascii():
            raise _odd(name)
        text = told[name] = value.decode()
        if not written.fullmatch(text):
            raise _odd(name)
    if len(told) < len(HEADERS):
        raise _odd(next(name for name in HEADERS if name not in told))
    return told


def _odd(name: str) -> Malformed:
    return Malformed(
        f"The header {name!r} of a message is missing, or is none that Well writes.", code="message_header"
    )


def _number(told: Mapping[str, str], name: str, least: int, most: int) -> int:
    number = int(told[name])
    if not least <= number <= most:
        raise _odd(name)
    return number


@lru_cache(_CACHED_WORKSPACES)
def _workspace(text: str) -> UUID:
    return UUID(text)


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise _odd("ce_time") from None
