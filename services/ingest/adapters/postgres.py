"""The store in Postgres: raw versions, and the run of renormalising; one statement a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from libs.database.port import Transaction
from libs.database.postgres import connection_of
from services.ingest.adapters.postgres_jobs import PostgresDocumentJobs
from services.ingest.adapters.postgres_mcp import PostgresGrants, PostgresMcpClients, PostgresReturns
from services.ingest.adapters.postgres_pulls import PostgresPulls
from services.ingest.domain.kept import Head, RawVersion
from services.ingest.ports import DocumentJobs, Grants, McpClients, McpReturns, Pulls, RawRecords, Renormalizings

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
    mcp_returns: McpReturns = field(default_factory=PostgresReturns)
    renormalizings: Renormalizings = field(default_factory=PostgresRenormalizings)
