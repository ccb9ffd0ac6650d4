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


def has(opened: OpenedEvents, name: str) -> bool:
    return opened.get("auth", an_event(name).id, name.encode()) is not None


def test_an_event_is_found_by_its_very_bytes_and_by_no_others() -> None:
    opened, event = OpenedEvents(), an_event("a")
    opened.remember("auth", b"sealed", event)
    assert opened.get("auth", event.id, bytes(bytearray(b"sealed"))) is event
    assert opened.get("auth", event.id, b"sealee") is None


def test_the_same_bytes_in_another_row_or_log_are_not_found() -> None:
    opened, event = OpenedEvents(), an_event("a")
    opened.remember("auth", b"sealed", event)
    assert opened.get("auth", an_event("b").id, b"sealed") is None
    assert opened.get("matcher", event.id, b"sealed") is None


def test_the_oldest_events_leave_when_the_bytes_are_used_up() -> None:
    opened = OpenedEvents(remembered_bytes=10)
    for name in ("aaaa", "bbbb", "cccc"):
        opened.remember("auth", name.encode(), an_event(name))
    assert [has(opened, name) for name in ("aaaa", "bbbb", "cccc")] == [False, True, True]


def test_remembering_an_event_twice_takes_its_room_once() -> None:
    opened = OpenedEvents(remembered_bytes=8)
    for name in ("aaaa", "aaaa", "aaaa", "bbbb"):
        opened.remember("auth", name.encode(), an_event(name))
    assert has(opened, "aaaa")


def test_an_event_larger_than_all_the_room_is_not_kept() -> None:
    opened = OpenedEvents(remembered_bytes=3)
    opened.remember("auth", b"aaaa", an_event("aaaa"))
    assert not has(opened, "aaaa")
    opened.remember("auth", b"bbb", an_event("bbb"))
    assert has(opened, "bbb")
