"""An event goes through Kafka and comes back as it was; whatever else comes is refused in a sentence."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from libs.bus.kafka.message import HEADERS, SEQUENCE_MAX, LogRow, Message, message_of, partition_of, row_of
from libs.contracts.errors import Malformed
from libs.contracts.identity import BUCKETS
from libs.contracts.topics import TOPICS
from libs.crypto.seal import BLIND_BYTES
from libs.eventlog.port import Position, RawDelivery

_TOPIC = "match.decided.v1"


@st.composite
def rows(draw: st.DrawFn) -> LogRow:
    sequence = draw(st.integers(1, SEQUENCE_MAX))
    position = Position(
        draw(st.sampled_from(sorted({topic.owner for topic in TOPICS}))),
        _TOPIC,
        draw(st.integers(0, BUCKETS - 1)),
        sequence,
    )
    return LogRow(
        RawDelivery(position, draw(st.uuids()), draw(st.uuids()), draw(st.binary(min_size=1, max_size=50))),
        event_type=draw(st.sampled_from([type_ for topic in TOPICS for type_ in topic.types])),
        occurred_at=draw(st.datetimes(timezones=st.just(UTC))),
        record_key=draw(st.binary(min_size=BLIND_BYTES, max_size=BLIND_BYTES)),
        previous=draw(st.integers(0, sequence - 1)),
    )


def _row() -> LogRow:
    position = Position("matcher", _TOPIC, 41, 7)
    return LogRow(
        RawDelivery(position, UUID(int=1), UUID(int=2), b"sealed"),
        event_type="MatchDecided",
        occurred_at=datetime(2026, 3, 2, 9, 14, 0, 120_000, tzinfo=UTC),
        record_key=bytes(range(16)),
        previous=5,
    )


def _with(message: Message, name: str, value: bytes | None) -> Message:
    return replace(message, headers=[(told, value if told == name else said) for told, said in message.headers])


@given(rows())
def test_an_event_comes_back_as_it_was(row: LogRow) -> None:
    assert row_of(message_of(row), row.raw.position.topic) == row


@given(rows(), rows())
def test_two_messages_are_equal_when_their_events_are(one: LogRow, other: LogRow) -> None:
    assert (message_of(one) == message_of(other)) == (one == other)


@given(rows())
def test_the_trace_is_as_w3c_says(row: LogRow) -> None:
    traceparent = dict(message_of(row).headers)["traceparent"]
    version, trace, parent, flags = (traceparent or b"").decode().split("-")
    assert (version, flags) == ("00", "01")
    assert re.fullmatch("[0-9a-f]{32}", trace)
    assert re.fullmatch("[0-9a-f]{16}", parent)
    assert int(trace, 16) != 0
    assert int(parent, 16) != 0


@given(rows(), st.uuids())
def test_all_events_of_a_record_are_one_trace_and_each_is_a_span_of_its_own(row: LogRow, other_id: UUID) -> None:
    assume(other_id != row.raw.event_id)
    other = replace(row, raw=row.raw._replace(event_id=other_id))
    one, two = (dict(message_of(each).headers)["traceparent"] or b"" for each in (row, other))
    assert one[:36] == two[:36]
    assert one[36:52] != two[36:52]


@given(rows(), st.sampled_from(HEADERS), st.binary(max_size=40))
def test_a_header_that_we_do_not_write_is_refused_by_its_name_or_tells_of_another_event(
    row: LogRow, name: str, value: bytes
) -> None:
    message = message_of(row)
    assume(dict(message.headers)[name] != value)
    changed = _with(message, name, value)
    try:
        read = row_of(changed, _TOPIC)
    except Malformed as error:
        assert error.code in {"message_header", "message_key"}  # noqa: PT017 the other outcome is below
    else:
        assert message_of(read).key == changed.key
        assert dict(message_of(read).headers)[name] == value


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_is_missing_is_named(name: str) -> None:
    message = message_of(_row())
    without = replace(message, headers=[header for header in message.headers if header[0] != name])
    with pytest.raises(Malformed, match=f"'{name}'"):
        row_of(without, _TOPIC)


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_is_said_twice_or_is_null_is_named(name: str) -> None:
    message = message_of(_row())
    again = next(header for header in message.headers if header[0] == name)
    for odd in (replace(message, headers=[*message.headers, again]), _with(message, name, None)):
        with pytest.raises(Malformed, match=f"'{name}'"):
            row_of(odd, _TOPIC)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_specversion", "0.3"),
        ("ce_id", "00000000-0000-0000-0000-00000000000G"),
        ("ce_id", "{00000000-0000-0000-0000-000000000002}"),
        ("ce_source", "/well/pusher"),
        ("ce_type", "MatchDecided"),
        ("ce_type", "well.well.MatchDecided"),
        ("ce_type", "well.Match Decided"),
        ("ce_time", "2026-03-02T09:14:00.12Z"),
        ("ce_time", "2026-03-02T09:14:00.120000"),
        ("ce_time", "2026-03-02T10:14:00.120000+01:00"),
        ("ce_time", "0001-01-01T00:00:00+14:00"),
        ("ce_subject", "000102030405060708090A0B0C0D0E0F"),
        ("ce_subject", "0001"),
        ("content-type", "application/json"),
        ("well_log", "matcher; DROP"),
        ("well_log", "matcher\n"),
        ("well_bucket", "64"),
        ("well_bucket", "041"),
        ("well_bucket", "٤"),
        ("well_sequence", "0"),
        ("well_sequence", str(SEQUENCE_MAX + 1)),
        ("well_sequence", "9" * 400),
        ("well_previous", "7"),
        ("well_previous", "-1"),
    ],
)
def test_a_header_that_is_odd_is_named_and_not_quoted(name: str, value: str) -> None:
    with pytest.raises(Malformed, match=f"'{name}'") as caught:
        row_of(_with(message_of(_row()), name, value.encode()), _TOPIC)
    assert caught.value.code == "message_header"
    assert value not in caught.value.sentence


@pytest.mark.parametrize("key", [None, b"", b"00000000-0000-0000-0000-000000000001", b"\xff"])
def test_a_key_that_its_headers_do_not_give_is_refused(key: bytes | None) -> None:
    with pytest.raises(Malformed, match="key"):
        row_of(replace(message_of(_row()), key=key), _TOPIC)


@pytest.mark.parametrize("value", [None, b""])
def test_a_message_without_a_value_is_refused(value: bytes | None) -> None:
    with pytest.raises(Malformed, match="no value"):
        row_of(replace(message_of(_row()), value=value), _TOPIC)


def test_headers_that_are_not_ours_are_let_pass_and_so_is_another_trace() -> None:
    message = _with(message_of(_row()), "traceparent", b"cc-0")
    crowded = replace(message, headers=[("ce_partitionkey", b"\xff"), *message.headers, ("mirrored", None)])
    assert row_of(crowded, _TOPIC) == _row()


def test_the_wire_is_as_released() -> None:
    """Other teams read this. A change here is a change for all of them."""
    message = message_of(_row())
    assert message.key == b"00000000-0000-0000-0000-000000000001/000102030405060708090a0b0c0d0e0f"
    assert message.value == b"sealed"
    assert [(name, (value or b"").decode()) for name, value in message.headers] == [
        ("ce_specversion", "1.0"),
        ("ce_id", "00000000-0000-0000-0000-000000000002"),
        ("ce_source", "/well/matcher"),
        ("ce_type", "well.MatchDecided"),
        ("ce_time", "2026-03-02T09:14:00.120000Z"),
        ("ce_subject", "000102030405060708090a0b0c0d0e0f"),
        ("content-type", "application/vnd.well.sealed"),
        ("well_log", "matcher"),
        ("well_workspace", "00000000-0000-0000-0000-000000000001"),
        ("well_bucket", "41"),
        ("well_sequence", "7"),
        ("well_previous", "5"),
        ("traceparent", "00-2a47a595e2355e65992538104bb6597e-9b0b3fec1b386ea2-01"),
    ]


@given(st.integers(0, BUCKETS - 1), st.integers(1, BUCKETS))
def test_a_bucket_has_one_partition_that_is_there(bucket: int, partitions: int) -> None:
    assert 0 <= partition_of(bucket, partitions) < partitions
    assert {partition_of(each, partitions) for each in range(BUCKETS)} == set(range(partitions))
