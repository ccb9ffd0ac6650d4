"""Makes and redeems tickets: sign-ins, sessions, consents under way."""

from __future__ import annotations

from uuid import UUID

from libs.contracts.errors import Rejected
from libs.crypto.bearer import Bearer, mint, parse
from libs.database.port import Database
from libs.runtime.clock import Clock
from services.auth.domain.ticket import GIVE_WAY, LASTS, LIVE_TICKETS, Ticket, TicketPurpose
from services.auth.ports import TicketStore


class Tickets:
    """The tickets of all workspaces."""

    def __init__(self, *, database: Database, store: TicketStore, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._clock = clock

    async def issue(self, workspace: UUID, purpose: TicketPurpose, content: bytes = b"") -> Bearer:
        """A new ticket.

        Raises:
            Rejected: `too_many_tickets` when the workspace holds more than it can use, and none of them gives way.
        """
        bearer, now = mint(workspace), self._clock.now()
        ticket = Ticket(purpose, bearer.sha256, content, now + LASTS[purpose])
        async with self._database.transaction(workspace) as tx:
            added = await self._store.add_ticket(tx, ticket, now=now, limit=LIVE_TICKETS)
            if not added and purpose in GIVE_WAY:
                await self._store.drop_oldest_tickets(tx, purpose, keep=LIVE_TICKETS - 1)
                added = await self._store.add_ticket(tx, ticket, now=now, limit=LIVE_TICKETS)
        if not added:
            raise Rejected("Too many visits are open at once. Try again in some minutes.", code="too_many_tickets")
        return bearer

    async def see(self, text: str, purpose: TicketPurpose) -> tuple[UUID, bytes] | None:
        """Whose ticket this is and what it stands for; None when there is none, or no longer."""
        bearer = parse(text)
        if bearer is None:
            return None
        async with self._database.transaction(bearer.workspace) as tx:
            ticket = await self._store.see_ticket(tx, purpose, bearer.sha256, now=self._clock.now())
        return None if ticket is None else (bearer.workspace, ticket.content)

    async def take(self, text: str, purpose: TicketPurpose) -> tuple[UUID, bytes] | None:
        """The same, and the ticket is gone."""
        bearer = parse(text)
        if bearer is None:
            return None
        async with self._database.transaction(bearer.workspace) as tx:
            ticket = await self._store.take_ticket(tx, purpose, bearer.sha256, now=self._clock.now())
        return None if ticket is None else (bearer.workspace, ticket.content)
