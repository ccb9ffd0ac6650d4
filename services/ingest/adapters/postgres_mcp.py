"""What ingest keeps as an MCP client in Postgres: registrations, grants, browsers that are away to consent."""

from __future__ import annotations

from datetime import datetime

from libs.database.port import Transaction
from libs.database.postgres import connection_of


class PostgresMcpClients:
    """How authorization servers registered us, in `ingest.mcp_client`."""

    async def get(self, tx: Transaction, issuer: str) -> bytes | None:
        """The sealed registration of an issuer."""
        sealed: bytes | None = await connection_of(tx).fetchval(
            "SELECT sealed FROM ingest.mcp_client WHERE workspace = $1 AND issuer = $2", tx.workspace, issuer
        )
        return sealed

    async def put(self, tx: Transaction, issuer: str, sealed: bytes, *, now: datetime, limit: int) -> None:
        """Keep a registration in place of the issuer's last one, and of all no more than the `limit` newest."""
        connection = connection_of(tx)
        await connection.execute(
            """
            INSERT INTO ingest.mcp_client (workspace, issuer, sealed, kept_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (workspace, issuer) DO UPDATE SET sealed = excluded.sealed, kept_at = excluded.kept_at
            """,
            tx.workspace,
            issuer,
            sealed,
            now,
        )
        await connection.execute(
            """
            DELETE FROM ingest.mcp_client WHERE workspace = $1 AND issuer IN (
                SELECT issuer FROM ingest.mcp_client WHERE workspace = $1 ORDER BY kept_at DESC OFFSET $2
            )
            """,
            tx.workspace,
            limit,
        )


class PostgresGrants:
    """What MCP servers granted us, in `ingest.mcp_grant`."""

    async def get(self, tx: Transaction, server: str, *, hold: bool = False) -> bytes | None:
        """The sealed grant; with `hold` it stays as it is until the transaction ends."""
        statement = "SELECT sealed FROM ingest.mcp_grant WHERE workspace = $1 AND server = $2"
        sealed: bytes | None = await connection_of(tx).fetchval(
            statement + (" FOR UPDATE" if hold else ""), tx.workspace, server
        )
        return sealed

    async def put(self, tx: Transaction, server: str, sealed: bytes) -> None:
        """Keep a grant in place of what was there; whoever refreshes it has had its turn."""
        await connection_of(tx).execute(
            """
            INSERT INTO ingest.mcp_grant (workspace, server, sealed) VALUES ($1, $2, $3)
            ON CONFLICT (workspace, server) DO UPDATE SET sealed = excluded.sealed, refreshing_until = NULL
            """,
            tx.workspace,
            server,
            sealed,
        )

    async def take_turn(
        self, tx: Transaction, server: str, *, now: datetime, until: datetime, longest: datetime
    ) -> bool:
        """Whether the caller may refresh the grant, alone until that instant; False while somebody else does."""
        taken = await connection_of(tx).fetchval(
            """
            UPDATE ingest.mcp_grant SET refreshing_until = $4
            WHERE workspace = $1 AND server = $2
                AND (refreshing_until IS NULL OR refreshing_until <= $3 OR refreshing_until > $5)
            RETURNING true
            """,
            tx.workspace,
            server,
            now,
            until,
            longest,
        )
        return taken is not None

    async def end_turn(self, tx: Transaction, server: str, *, until: datetime) -> None:
        """Let others refresh it, unless another has the turn by now: not the one until this instant."""
        await connection_of(tx).execute(
            """
            UPDATE ingest.mcp_grant SET refreshing_until = NULL
            WHERE workspace = $1 AND server = $2 AND refreshing_until = $3
            """,
            tx.workspace,
            server,
            until,
        )


class PostgresReturns:
    """Browsers that are away to consent, in `ingest.mcp_return`."""

    async def expect(self, tx: Transaction, state: bytes, *, now: datetime, until: datetime, limit: int) -> bool:
        """Wait for one until an instant, and drop those whose time is over; False when `limit` are away already.

        Notes:
            Two that leave at once may both take the last place: the limit keeps the table small and is not exact.
        """
        connection = connection_of(tx)
        await connection.execute(
            "DELETE FROM ingest.mcp_return WHERE workspace = $1 AND until <= $2", tx.workspace, now
        )
        kept = await connection.fetchval(
            """
            INSERT INTO ingest.mcp_return (workspace, state, until) SELECT $1, $2, $3
            WHERE (SELECT count(*) FROM ingest.mcp_return WHERE workspace = $1) < $4 RETURNING true
            """,
            tx.workspace,
            state,
            until,
            limit,
        )
        return kept is not None

    async def bring(self, tx: Transaction, state: bytes, sealed: bytes, *, now: datetime) -> bool:
        """Keep what it brings; False when nobody waits for it, or it has brought something before."""
        kept = await connection_of(tx).fetchval(
            """
            UPDATE ingest.mcp_return SET sealed = $3
            WHERE workspace = $1 AND state = $2 AND sealed IS NULL AND until > $4 RETURNING true
            """,
            tx.workspace,
            state,
            sealed,
            now,
        )
        return kept is not None

    async def brought(self, tx: Transaction, state: bytes) -> bytes | None:
        """What it brought, sealed."""
        sql = "SELECT sealed FROM ingest.mcp_return WHERE workspace = $1 AND state = $2"
        sealed: bytes | None = await connection_of(tx).fetchval(sql, tx.workspace, state)
        return sealed

    async def end(self, tx: Transaction, state: bytes, ending: str) -> None:
        """Keep how it ended."""
        sql = "UPDATE ingest.mcp_return SET ending = $3 WHERE workspace = $1 AND state = $2"
        await connection_of(tx).execute(sql, tx.workspace, state, ending)

    async def take_ending(self, tx: Transaction, state: bytes) -> str | None:
        """How it ended, which is forgotten with this."""
        sql = """
        DELETE FROM ingest.mcp_return WHERE workspace = $1 AND state = $2 AND ending IS NOT NULL RETURNING ending
        """
        ending: str | None = await connection_of(tx).fetchval(sql, tx.workspace, state)
        return ending
