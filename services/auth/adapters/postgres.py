"""Auth's rows in Postgres. Tokens, account names and what tickets stand for are sealed before they get here."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from libs.contracts.identity import Provider
from libs.crypto.keyring import Sealer
from libs.crypto.seal import WorkspaceSeal
from libs.database.port import Transaction
from libs.database.postgres import connection_of
from services.auth.adapters.postgres_keys import PostgresKeyStore
from services.auth.adapters.postgres_programs import PostgresProgramStore
from services.auth.adapters.postgres_unauthorized import PostgresUnauthorizedStore
from services.auth.domain.connection import Account, Connection
from services.auth.domain.ticket import Ticket, TicketPurpose

_CONNECTION: Final = "auth.connection"
_TICKET: Final = "auth.ticket"

_MARK_CONNECTED: Final = """
INSERT INTO auth.workspace AS known (workspace, region, made_at, connected_at) VALUES ($1, $2, $3, $3)
ON CONFLICT (workspace) DO UPDATE SET connected_at = coalesce(known.connected_at, excluded.connected_at)
WHERE known.erased_at IS NULL
RETURNING true
"""

_CONNECTED: Final = "SELECT workspace FROM auth.workspace WHERE connected_at IS NOT NULL ORDER BY workspace"

_READ_CONNECTION: Final = "SELECT * FROM auth.connection WHERE workspace = $1 AND provider = $2"

_PUT_CONNECTION: Final = """
INSERT INTO auth.connection (
    workspace, provider, state, consent, account, account_name, scopes, generation, access_token, refresh_token,
    previous_refresh_token, expires_at, rotated_at, refusal_at, refused_since, refused_until, refreshing_by,
    refreshing_until
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
ON CONFLICT (workspace, provider) DO UPDATE SET
    (state, consent, account, account_name, scopes, generation, access_token, refresh_token,
     previous_refresh_token, expires_at, rotated_at, refusal_at, refused_since, refused_until, refreshing_by,
     refreshing_until) =
    (excluded.state, excluded.consent, excluded.account, excluded.account_name, excluded.scopes, excluded.generation,
     excluded.access_token, excluded.refresh_token, excluded.previous_refresh_token, excluded.expires_at,
     excluded.rotated_at, excluded.refusal_at, excluded.refused_since, excluded.refused_until, excluded.refreshing_by,
     excluded.refreshing_until)
"""

_DROP_EXPIRED: Final = "DELETE FROM auth.ticket WHERE workspace = $1 AND expires_at <= $2"

_ADD_TICKET: Final = """
INSERT INTO auth.ticket (workspace, sha256, purpose, content, expires_at)
SELECT $1, $2, $3, $4, $5
WHERE (SELECT count(*) FROM auth.ticket WHERE workspace = $1 AND purpose = $3) < $6
RETURNING sha256
"""

_DROP_OLDEST: Final = """
DELETE FROM auth.ticket WHERE workspace = $1 AND sha256 IN (
    SELECT sha256 FROM auth.ticket WHERE workspace = $1 AND purpose = $2 ORDER BY expires_at DESC OFFSET $3
)
"""

_SEE_TICKET: Final = """
SELECT content, expires_at FROM auth.ticket WHERE workspace = $1 AND sha256 = $2 AND purpose = $3 AND expires_at > $4
"""

_TAKE_TICKET: Final = """
DELETE FROM auth.ticket WHERE workspace = $1 AND sha256 = $2 AND purpose = $3 AND expires_at > $4
RETURNING content, expires_at
"""


class PostgresAuthStore(PostgresKeyStore, PostgresProgramStore, PostgresUnauthorizedStore):
    """Everything auth keeps, as the role `well_auth`."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def connection(self, tx: Transaction, provider: Provider, *, hold: bool = False) -> Connection | None:
        """The connection; with `hold`, nobody else holds or changes it until the transaction ends."""
        sql = _READ_CONNECTION + " FOR UPDATE" if hold else _READ_CONNECTION
        row = await connection_of(tx).fetchrow(sql, tx.workspace, provider)
        return None if row is None else _opened(await self._sealer.of(tx.workspace), row)

    async def put_connection(self, tx: Transaction, connection: Connection) -> None:
        """Write it over what is there."""
        seal = await self._sealer.of(tx.workspace)

        def sealed(column: str, text: str | None) -> bytes | None:
            return None if text is None else seal.seal(text.encode(), table=_CONNECTION, row=provider, column=column)

        provider = connection.provider
        await connection_of(tx).execute(
            _PUT_CONNECTION,
            tx.workspace,
            provider,
            connection.state,
            connection.consent,
            connection.account.id,
            sealed("account_name", connection.account.name),
            list(connection.scopes),
            connection.generation,
            sealed("access_token", connection.access_token),
            sealed("refresh_token", connection.refresh_token),
            sealed("previous_refresh_token", connection.previous_refresh_token),
            connection.expires_at,
            connection.rotated_at,
            connection.refusal_at,
            connection.refused_since,
            connection.refused_until,
            connection.refreshing_by,
            connection.refreshing_until,
        )

    async def mark_connected(self, tx: Transaction, region: str, now: datetime) -> bool:
        """Remember that the workspace has had a connection, from now at the latest; False when it was erased."""
        return bool(await connection_of(tx).fetchval(_MARK_CONNECTED, tx.workspace, region, now))

    async def connected_workspaces(self, tx: Transaction) -> list[UUID]:
        """Every workspace that has had a connection, whichever one the transaction is of."""
        return [row["workspace"] for row in await connection_of(tx).fetch(_CONNECTED)]

    async def add_ticket(self, tx: Transaction, ticket: Ticket, *, now: datetime, limit: int) -> bool:
        """Add a ticket and drop expired ones; False when `limit` unexpired ones of its purpose are there already.

        Notes:
            Two that add at once may both see the last free place; the limit keeps a table small and is not exact.
        """
        connection = connection_of(tx)
        seal = await self._sealer.of(tx.workspace)
        content = seal.seal(ticket.content, table=_TICKET, row=ticket.sha256.hex(), column="content")
        await connection.execute(_DROP_EXPIRED, tx.workspace, now)
        added = await connection.fetchrow(
            _ADD_TICKET, tx.workspace, ticket.sha256, ticket.purpose, content, ticket.expires_at, limit
        )
        return added is not None

    async def drop_oldest_tickets(self, tx: Transaction, purpose: TicketPurpose, *, keep: int) -> None:
        """Drop those of a purpose that end first, until `keep` are left."""
        await connection_of(tx).execute(_DROP_OLDEST, tx.workspace, purpose, keep)

    async def see_ticket(
        self, tx: Transaction, purpose: TicketPurpose, sha256: bytes, *, now: datetime
    ) -> Ticket | None:
        """The ticket, which stays."""
        return await self._ticket(tx, _SEE_TICKET, purpose, sha256, now)

    async def take_ticket(
        self, tx: Transaction, purpose: TicketPurpose, sha256: bytes, *, now: datetime
    ) -> Ticket | None:
        """The ticket, which is gone: of two who take it, one gets it."""
        return await self._ticket(tx, _TAKE_TICKET, purpose, sha256, now)

    async def _ticket(
        self, tx: Transaction, sql: str, purpose: TicketPurpose, sha256: bytes, now: datetime
    ) -> Ticket | None:
        row = await connection_of(tx).fetchrow(sql, tx.workspace, sha256, purpose, now)
        if row is None:
            return None
        seal = await self._sealer.of(tx.workspace)
        content = seal.open(row["content"], table=_TICKET, row=sha256.hex(), column="content")
        return Ticket(purpose, sha256, content, row["expires_at"])


def _opened(seal: WorkspaceSeal, row: Any) -> Connection:  # noqa: ANN401 asyncpg's records have no type of their own
    def text(column: str) -> str | None:
        kept = row[column]
        return None if kept is None else seal.open(kept, table=_CONNECTION, row=row["provider"], column=column).decode()

    return Connection(
        provider=row["provider"],
        state=row["state"],
        consent=row["consent"],
        account=Account(row["account"], text("account_name") or ""),
        scopes=tuple(row["scopes"]),
        generation=row["generation"],
        expires_at=row["expires_at"],
        rotated_at=row["rotated_at"],
        access_token=text("access_token"),
        refresh_token=text("refresh_token"),
        previous_refresh_token=text("previous_refresh_token"),
        refusal_at=row["refusal_at"],
        refused_since=row["refused_since"],
        refused_until=row["refused_until"],
        refreshing_by=row["refreshing_by"],
        refreshing_until=row["refreshing_until"],
    )
