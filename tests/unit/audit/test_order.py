"""A trail stands in order of cause."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from libs.contracts.envelope import Envelope, enveloped
from libs.contracts.events import PostSent
from services.audit.domain.order import in_order_of_cause

_START = datetime(2026, 11, 2, 8, tzinfo=UTC)


def _event(cause: Envelope | None, minute: int) -> Envelope:
    return enveloped(
        PostSent(posting=uuid4(), attempt=1),
        workspace=uuid4(),
        record="xero/bill/1",
        cause=cause.id if cause else uuid4(),
        occurred_at=_START + timedelta(minutes=minute),
    )


def test_an_event_never_stands_before_its_cause_whatever_the_clocks_say() -> None:
    first = _event(None, 10)
    second = _event(first, 5)
    third = _event(second, 7)
    other = _event(None, 11)
    for shuffled in itertools.permutations([first, second, third, other]):
        assert in_order_of_cause(shuffled) == [first, second, third, other]


def test_every_event_is_shown_once() -> None:
    events = [_event(None, minute) for minute in range(20)]
    assert in_order_of_cause([*events, *events]) == events
