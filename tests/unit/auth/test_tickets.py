"""How long what a browser or a reader carries is good, and for what."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, get_args
from uuid import uuid4

import pytest

from libs.contracts.errors import Rejected
from libs.database.memory import MemoryDatabase
from libs.runtime.clock import ManualClock
from services.auth.adapters.memory import MemoryAuthStore
from services.auth.domain.ticket import LIVE_TICKETS, TicketPurpose
from services.auth.flow.tickets import Tickets
from tests.unit.auth.test_connection import NOW

MINUTES: Final[dict[TicketPurpose, float]] = {
    "sign_in": 15,
    "session": 12 * 60,
    "consent": 10,
    "choice": 10,
    "disconnect": 30,
    "mcp_request": 30,
    "mcp_form": 30,
    "mcp_grant": 1,
    "read_events": 90 * 24 * 60,
}
"""As people are told, in the README, on pages and in docs/operations.md, and as long as a code of a provider lives."""


@pytest.mark.parametrize("purpose", get_args(TicketPurpose))
async def test_a_ticket_is_good_for_its_purpose_and_its_time_and_not_beyond(purpose: TicketPurpose) -> None:
    clock, workspace = ManualClock(NOW), uuid4()
    tickets = Tickets(database=MemoryDatabase(), store=MemoryAuthStore(), clock=clock)
    text = (await tickets.issue(workspace, purpose, b"content")).text
    for other in get_args(TicketPurpose):
        if other != purpose:
            assert await tickets.take(text, other) is None
    clock.advance(timedelta(minutes=MINUTES[purpose]).total_seconds() - 1)
    assert await tickets.see(text, purpose) == (workspace, b"content")
    clock.advance(1)
    assert await tickets.see(text, purpose) is None
    assert await tickets.take(text, purpose) is None


async def test_a_workspace_holds_so_many_of_a_purpose_and_old_ones_make_room() -> None:
    clock, workspace = ManualClock(NOW), uuid4()
    tickets = Tickets(database=MemoryDatabase(), store=MemoryAuthStore(), clock=clock)
    for _ in range(LIVE_TICKETS):
        await tickets.issue(workspace, "choice")
    with pytest.raises(Rejected) as refused:
        await tickets.issue(workspace, "choice")
    assert refused.value.code == "too_many_tickets"
    await tickets.issue(workspace, "session")
    await tickets.issue(uuid4(), "choice")
    clock.advance(timedelta(minutes=MINUTES["choice"]).total_seconds())
    await tickets.issue(workspace, "choice")
