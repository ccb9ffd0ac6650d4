"""The store in Postgres: raw versions, grants, and the run of renormalising; one statement a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from libs.database.port import Transaction
from libs.database.postgres import connection_of
from services.ingest.adapters.postgres_jobs import PostgresDocumentJobs
from services.ingest.adapters.postgres_pulls import PostgresPulls
from services.ingest.domain.kept import Head, RawVersion
from services.ingest.ports import DocumentJobs, Grants, McpClients, Pulls, RawRecords, Renormalizings

_COLUMNS = "record, kind, version, content_sha256, sealed, pulled_at"


class PostgresRawRecords:
    """Every version of every record, in `ingest.raw_record`."""

    async def heads(self, tx: Transaction, records: Sequence[str]) -> Mapping[str, Head]:
        """The newest version of each of these records that there is."""
        rows = await connection_of(tx).fetch(
            """
            SELECT wanted.record, head.version, head.content_sha256
            FROM unnest($2::text[]) AS wanted (record)
            CROSS JOIN LATERAL (
                SELECT version, content_sha256 FROM ingest.raw_record
                WHERE workspace = $1 AND record = wanted.record ORDER BY version DESC LIMIT 1
            ) AS head
            """,
            tx.workspace,
            records,
        )
        return {row["record"]: Head(row["version"], row["content_sha256"]) for row in rows}

    async def add(self, tx: Transaction, versions: Sequence[RawVersion]) -> None:
        """Keep versions that were not there."""
        await connection_of(tx).execute(
            f"""
            INSERT INTO ingest.raw_record (workspace, {_COLUMNS})
            SELECT $1, * FROM unnest($2::text[], $3::text[], $4::int[], $5::text[], $6::bytea[], $7::timestamptz[])
            """,  # noqa: S608 - a constant of this file
            tx.workspace,
            [version.record for version in versions],
            [version.kind for version in versions],
            [version.version for version in versions],
            [version.content_sha256 for version in versions],
            [version.sealed for version in versions],
            [version.pulled_at for version in versions],
        )

    async def load(self, tx: Transaction, versions: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], RawVersion]:
        """These versions, by record and version; those never kept are left out."""
        rows = await connection_of(tx).fetch(
            f"""
            SELECT {_COLUMNS} FROM unnest($2::text[], $3::int[]) AS wanted (record, version)
            JOIN ingest.raw_record USING (record, version) WHERE workspace = $1
            """,  # noqa: S608 - a constant of this file
            tx.workspace,
            [record for record, _ in versions],
            [version for _, version in versions],
        )
        return {(row["record"], row["version"]): RawVersion(**row) for row in rows}

    async def newest_after(self, tx: Transaction, record: str, *, limit: int) -> Sequence[RawVersion]:
        """The newest version of each of the next records behind a name, in order of names."""
        rows = await connection_of(tx).fetch(
            f"""
            SELECT DISTINCT ON (record) {_COLUMNS} FROM ingest.raw_record
            WHERE workspace = $1 AND record > $2 ORDER BY record, version DESC LIMIT $3
            """,  # noqa: S608 - a constant of this file
            tx.workspace,
            record,
            limit,
        )
        return [RawVersion(**row) for row in rows]


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

    async def get(self, tx: Transaction, server: str) -> bytes | None:
        """The sealed grant."""
        sealed: bytes | None = await connection_of(tx).fetchval(
            "SELECT sealed FROM ingest.mcp_grant WHERE workspace = $1 AND server = $2", tx.workspace, server
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

    async def take_turn(self, tx: Transaction, server: str, *, now: datetime, until: datetime) -> bool:
        """Whether the caller may refresh the grant, alone until that instant; False while somebody else does."""
        taken = await connection_of(tx).fetchval(
            """
            UPDATE ingest.mcp_grant SET refreshing_until = $4
            WHERE workspace = $1 AND server = $2
                AND (refreshing_until IS NULL OR refreshing_until <= $3 OR refreshing_until > $4)
            RETURNING true
            """,
            tx.workspace,
            server,
            now,
            until,
        )
        return taken is not None

    async def end_turn(self, tx: Transaction, server: str) -> None:
        """Let others refresh it."""
        await connection_of(tx).execute(
            "UPDATE ingest.mcp_grant SET refreshing_until = NULL WHERE workspace = $1 AND server = $2",
            tx.workspace,
            server,
        )


class PostgresRenormalizings:
    """The run of renormalising, in `ingest.renormalizing`."""

    async def get(self, tx: Transaction) -> tuple[UUID, str] | None:
        """The run and the record it has come to, held for this transaction."""
        row = await connection_of(tx).fetchrow(
            "SELECT run, record FROM ingest.renormalizing WHERE workspace = $1 FOR UPDATE", tx.workspace
        )
        return (row["run"], row["record"]) if row else None

    async def put(self, tx: Transaction, run: UUID, record: str) -> None:
        """Keep how far a run has come."""
        await connection_of(tx).execute(
            """
            INSERT INTO ingest.renormalizing (workspace, run, record) VALUES ($1, $2, $3)
            ON CONFLICT (workspace) DO UPDATE SET run = excluded.run, record = excluded.record
            """,
            tx.workspace,
            run,
            record,
        )

    async def end(self, tx: Transaction) -> None:
        """Forget the run."""
        await connection_of(tx).execute("DELETE FROM ingest.renormalizing WHERE workspace = $1", tx.workspace)


@dataclass(frozen=True)
class PostgresStore:
    """Everything ingest keeps, in the schema `ingest`."""

    raw: RawRecords = field(default_factory=PostgresRawRecords)
    pulls: Pulls = field(default_factory=PostgresPulls)
    jobs: DocumentJobs = field(default_factory=PostgresDocumentJobs)
    grants: Grants = field(default_factory=PostgresGrants)
    mcp_clients: McpClients = field(default_factory=PostgresMcpClients)
    renormalizings: Renormalizings = field(default_factory=PostgresRenormalizings)
