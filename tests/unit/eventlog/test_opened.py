"""Events remembered by the bytes they are sealed as."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.events import ConsentRevoked
from libs.eventlog.opened import OpenedEvents


def an_event(record: str) -> Envelope:
    return enveloped(
        ConsentRevoked(provider="xero"),
        workspace=UUID(int=1),
        record=record,
        cause=UUID(int=2),
        occurred_at=datetime(2026, 3, 2, tzinfo=UTC),
    )


def test_an_event_is_found_by_its_very_bytes_and_by_no_others() -> None:
    opened, event = OpenedEvents(), an_event("a")
    opened.remember(b"sealed", event)
    assert opened.get(bytes(bytearray(b"sealed"))) is event
    assert opened.get(b"sealee") is None


def test_the_oldest_events_leave_when_the_bytes_are_used_up() -> None:
    opened = OpenedEvents(remembered_bytes=10)
    for name in ("aaaa", "bbbb", "cccc"):
        opened.remember(name.encode(), an_event(name))
    assert [opened.get(name) is not None for name in (b"aaaa", b"bbbb", b"cccc")] == [False, True, True]


def test_remembering_an_event_twice_takes_its_room_once() -> None:
    opened = OpenedEvents(remembered_bytes=8)
    for name in ("aaaa", "aaaa", "aaaa", "bbbb"):
        opened.remember(name.encode(), an_event(name))
    assert opened.get(b"aaaa") is not None


def test_an_event_larger_than_all_the_room_is_not_kept() -> None:
    opened = OpenedEvents(remembered_bytes=3)
    opened.remember(b"aaaa", an_event("a"))
    assert opened.get(b"aaaa") is None
    opened.remember(b"bbb", an_event("b"))
    assert opened.get(b"bbb") is not None
