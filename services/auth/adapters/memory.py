"""Auth's rows in memory: the twin of the Postgres store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from libs.contracts.identity import Provider
from libs.crypto.bearer import INSTALLATION
from libs.database.memory import shared_table_of, table_of
from libs.database.port import Database, Transaction
from services.auth.domain.connection import Connection
from services.auth.domain.program import Program
from services.auth.domain.ticket import Ticket, TicketPurpose
from services.auth.domain.wrapped_key import WrappedKey
from services.auth.ports import ConnectionStore

_WORKSPACES = "auth.workspace"
_KEYS = "auth.workspace_key"
_CONNECTIONS = "auth.connection"
_TICKETS = "auth.ticket"
_UNAUTHORIZED = "auth.unauthorized"
_PROGRAMS = "auth.program"


class MemoryAuthStore:
    """Everything auth keeps, unsealed, as long as the process lives."""

    async def know(self, tx: Transaction, region: str, now: datetime) -> None:
        """Put the workspace on the list, unless it stands there."""
        shared_table_of(tx, _WORKSPACES).setdefault(tx.workspace, (region, now, None, None))

    async def known_workspaces(self, tx: Transaction) -> list[UUID]:
        """Every workspace on the list that was not erased, whichever one the transaction is of."""
        rows = shared_table_of(tx, _WORKSPACES).items()
        return sorted(workspace for workspace, (*_, erased_at) in rows if erased_at is None)

    async def erased_workspaces(self, tx: Transaction, *, before: datetime) -> list[UUID]:
        """Every workspace that was erased before an instant, whichever one the transaction is of."""
        rows = shared_table_of(tx, _WORKSPACES).items()
        return [workspace for workspace, (*_, erased_at) in rows if erased_at is not None and erased_at < before]

    async def is_erased(self, tx: Transaction, *, hold: bool = False) -> bool:
        """Whether the workspace was erased; every transaction in memory holds everything, so `hold` changes nothing."""
        del hold
        *_, erased_at = shared_table_of(tx, _WORKSPACES).get(tx.workspace, (None,))
        return erased_at is not None

    async def keys(self, tx: Transaction) -> list[WrappedKey]:
        """All its keys."""
        return list(table_of(tx, _KEYS).values())

    async def add_keys(self, tx: Transaction, keys: Sequence[WrappedKey]) -> int:
        """Add keys, and tell how many: a generation that is there already is left alone."""
        table = table_of(tx, _KEYS)
        new = {(key.purpose, key.generation): key for key in keys if (key.purpose, key.generation) not in table}
        table.update(new)
        return len(new)

    async def rewrap_key(self, tx: Transaction, key: WrappedKey, wrapped: bytes) -> bool:
        """Keep other bytes for a key; False, and nothing changed, when those that `key` has are not kept any more."""
        table, place = table_of(tx, _KEYS), (key.purpose, key.generation)
        if table.get(place) != key:
            return False
        table[place] = replace(key, wrapped=wrapped)
        return True

    async def erase(self, tx: Transaction, now: datetime) -> None:
        """Mark the workspace erased, and delete its keys, connections, tickets and programs."""
        table = shared_table_of(tx, _WORKSPACES)
        if tx.workspace in table:
            region, made_at, _, erased_at = table[tx.workspace]
            table[tx.workspace] = (region, made_at, None, erased_at or now)
        for name in (_KEYS, _CONNECTIONS, _TICKETS, _PROGRAMS):
            table_of(tx, name).clear()

    async def connection(self, tx: Transaction, provider: Provider, *, hold: bool = False) -> Connection | None:
        """The connection; every transaction in memory holds everything, so `hold` changes nothing."""
        del hold
        found: Connection | None = table_of(tx, _CONNECTIONS).get(provider)
        return found

    async def put_connection(self, tx: Transaction, connection: Connection) -> None:
        """Write it over what is there."""
        table_of(tx, _CONNECTIONS)[connection.provider] = connection

    async def mark_connected(self, tx: Transaction, region: str, now: datetime) -> bool:
        """Remember that the workspace has had a connection, from now at the latest; False when it was erased."""
        table = shared_table_of(tx, _WORKSPACES)
        region, made_at, connected_at, erased_at = table.get(tx.workspace, (region, now, None, None))
        if erased_at is None:
            table[tx.workspace] = (region, made_at, connected_at or now, None)
        return erased_at is None

    async def connected_workspaces(self, tx: Transaction) -> list[UUID]:
        """Every workspace that has had a connection, whichever one the transaction is of."""
        rows = shared_table_of(tx, _WORKSPACES).items()
        return sorted(workspace for workspace, (_, _, connected_at, _) in rows if connected_at is not None)

    async def add_ticket(self, tx: Transaction, ticket: Ticket, *, now: datetime, limit: int) -> bool:
        """Add a ticket and drop expired ones; False when `limit` unexpired ones of its purpose are there already."""
        table = table_of(tx, _TICKETS)
        for sha256 in [kept.sha256 for kept in table.values() if kept.expires_at <= now]:
            del table[sha256]
        if sum(kept.purpose == ticket.purpose for kept in table.values()) >= limit:
            return False
        table[ticket.sha256] = ticket
        return True

    async def drop_oldest_tickets(self, tx: Transaction, purpose: TicketPurpose, *, keep: int) -> None:
        """Drop those of a purpose that end first, until `keep` are left."""
        table = table_of(tx, _TICKETS)
        of_it = (kept for kept in table.values() if kept.purpose == purpose)
        for kept in sorted(of_it, key=lambda kept: kept.expires_at, reverse=True)[keep:]:
            del table[kept.sha256]

    async def see_ticket(
        self, tx: Transaction, purpose: TicketPurpose, sha256: bytes, *, now: datetime
    ) -> Ticket | None:
        """The ticket, which stays."""
        found: Ticket | None = table_of(tx, _TICKETS).get(sha256)
        return found if found is not None and found.purpose == purpose and found.expires_at > now else None

    async def take_ticket(
        self, tx: Transaction, purpose: TicketPurpose, sha256: bytes, *, now: datetime
    ) -> Ticket | None:
        """The ticket, which is gone: of two who take it, one gets it."""
        found = await self.see_ticket(tx, purpose, sha256, now=now)
        if found is not None:
            del table_of(tx, _TICKETS)[sha256]
        return found

    async def add_unauthorized(
        self, tx: Transaction, provider: Provider, at: datetime, *, after: datetime, limit: int
    ) -> None:
        """Add one, unless `limit` of them came after an instant, and drop those from before it."""
        seen = await self.unauthorized(tx, provider, after=after, until=at)
        ahead = [each for each in table_of(tx, _UNAUTHORIZED).get(provider, ()) if each > at]
        table_of(tx, _UNAUTHORIZED)[provider] = (*seen, *ahead) if len(seen) >= limit else (*seen, at, *ahead)

    async def unauthorized(
        self, tx: Transaction, provider: Provider, *, after: datetime, until: datetime
    ) -> list[datetime]:
        """When they came, after one instant and until another."""
        return [each for each in table_of(tx, _UNAUTHORIZED).get(provider, ()) if after < each <= until]

    async def add_program(self, tx: Transaction, program: Program, *, unused_before: datetime, limit: int) -> bool:
        """Add one and drop those that last read before an instant; False when `limit` others are there."""
        table = table_of(tx, _PROGRAMS)
        for consent in [kept.consent for kept in table.values() if kept.read_at <= unused_before]:
            del table[consent]
        if len(table) >= limit:
            return False
        table[program.consent] = program
        return True

    async def programs(self, tx: Transaction, *, read_after: datetime) -> list[Program]:
        """Those that read after an instant, in the order in which they were allowed."""
        kept: list[Program] = [program for program in table_of(tx, _PROGRAMS).values() if program.read_at > read_after]
        return sorted(kept, key=lambda program: (program.allowed_at, program.consent))

    async def program_read_at(self, tx: Transaction, consent: UUID) -> datetime | None:
        """When one last read; None when there is none."""
        found: Program | None = table_of(tx, _PROGRAMS).get(consent)
        return None if found is None else found.read_at

    async def mark_program_read(self, tx: Transaction, consent: UUID, now: datetime) -> None:
        """It reads."""
        table = table_of(tx, _PROGRAMS)
        table[consent] = replace(table[consent], read_at=now)

    async def end_program(self, tx: Transaction, consent: UUID) -> bool:
        """Drop one; False when there is none."""
        return table_of(tx, _PROGRAMS).pop(consent, None) is not None


class EachAsked:
    """Which connections work, by asking for one workspace after the other: where no role sees them all at once."""

    def __init__(self, database: Database, store: ConnectionStore) -> None:
        self._database = database
        self._store = store

    async def connected(self, provider: Provider) -> list[UUID]:
        """The workspaces whose connection to a provider is active, or refused for now and tried again."""
        async with self._database.transaction(INSTALLATION) as tx:
            known = await self._store.connected_workspaces(tx)
        return sorted([workspace for workspace in known if await self._works(workspace, provider)])

    async def _works(self, workspace: UUID, provider: Provider) -> bool:
        async with self._database.transaction(workspace) as tx:
            connection = await self._store.connection(tx, provider)
        return connection is not None and connection.state in {"active", "refused"}
