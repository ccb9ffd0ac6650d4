"""Document jobs in Postgres: one row a bill, one statement a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from libs.database.port import Transaction
from libs.database.postgres import connection_of
from services.ingest.domain.kept import DocumentJob, Postponed
from services.ingest.domain.patience import latest_due


class PostgresDocumentJobs:
    """Documents asked for, in `ingest.document_job`."""

    async def ask(self, tx: Transaction, jobs: Sequence[DocumentJob]) -> None:
        """Let jobs wait; one of the same or a newer generation is left as it is."""
        await connection_of(tx).execute(
            """
            INSERT INTO ingest.document_job AS job (workspace, record, generation, decision, due_at, state, attempts)
            SELECT $1, asked.*, 'waiting', 0
            FROM unnest($2::text[], $3::int[], $4::uuid[], $5::timestamptz[]) AS asked
            ON CONFLICT (workspace, record) DO UPDATE SET
                generation = excluded.generation, decision = excluded.decision, due_at = excluded.due_at,
                state = 'waiting', attempts = 0, sentence = NULL
            WHERE job.generation < excluded.generation
            """,
            tx.workspace,
            [job.record for job in jobs],
            [job.generation for job in jobs],
            [job.decision for job in jobs],
            [job.due_at for job in jobs],
        )

    async def cancel(self, tx: Transaction, generations: Mapping[str, int]) -> None:
        """Cancel what waits for these bills at an older generation."""
        await connection_of(tx).execute(
            """
            UPDATE ingest.document_job AS job SET state = 'cancelled'
            FROM unnest($2::text[], $3::int[]) AS decided (record, generation)
            WHERE job.workspace = $1 AND job.record = decided.record AND job.generation < decided.generation
                AND job.state = 'waiting'
            """,
            tx.workspace,
            list(generations),
            list(generations.values()),
        )

    async def take(self, tx: Transaction, *, now: datetime, until: datetime, limit: int) -> Sequence[DocumentJob]:
        """Waiting jobs that are due, put off `until` so that no other process takes them meanwhile."""
        rows = await connection_of(tx).fetch(
            """
            WITH due AS (
                SELECT record FROM ingest.document_job
                WHERE workspace = $1 AND state = 'waiting' AND (due_at <= $2 OR due_at > $5)
                ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED
            )
            UPDATE ingest.document_job AS job SET due_at = $3 FROM due
            WHERE job.workspace = $1 AND job.record = due.record
            RETURNING job.record, job.generation, job.decision, job.due_at, job.attempts
            """,
            tx.workspace,
            now,
            until,
            limit,
            latest_due(now, until),
        )
        return [DocumentJob(**row) for row in rows]

    async def finish(
        self, tx: Transaction, done: Sequence[DocumentJob], missing: Sequence[DocumentJob]
    ) -> frozenset[str]:
        """End jobs; gives the records of those that still waited at their generation."""
        ended = [*done, *missing]
        states: list[Literal["done", "missing"]] = ["done"] * len(done)
        rows = await connection_of(tx).fetch(
            """
            UPDATE ingest.document_job AS job SET state = ended.state, sentence = NULL
            FROM unnest($2::text[], $3::int[], $4::text[]) AS ended (record, generation, state)
            WHERE job.workspace = $1 AND job.record = ended.record AND job.generation = ended.generation
                AND job.state = 'waiting'
            RETURNING job.record
            """,
            tx.workspace,
            [job.record for job in ended],
            [job.generation for job in ended],
            states + ["missing"] * len(missing),
        )
        return frozenset(row["record"] for row in rows)

    async def postpone(self, tx: Transaction, postponed: Sequence[Postponed]) -> None:
        """Put jobs off that still wait at their generation, one attempt older."""
        await connection_of(tx).execute(
            """
            UPDATE ingest.document_job AS job
            SET due_at = later.due_at, attempts = job.attempts + 1, sentence = later.sentence
            FROM unnest($2::text[], $3::int[], $4::timestamptz[], $5::text[])
                AS later (record, generation, due_at, sentence)
            WHERE job.workspace = $1 AND job.record = later.record AND job.generation = later.generation
                AND job.state = 'waiting'
            """,
            tx.workspace,
            [one.job.record for one in postponed],
            [one.job.generation for one in postponed],
            [one.until for one in postponed],
            [one.sentence for one in postponed],
        )

    async def counts(self, tx: Transaction) -> Mapping[str, int]:
        """Jobs by state."""
        rows = await connection_of(tx).fetch(
            "SELECT state, count(*) AS jobs FROM ingest.document_job WHERE workspace = $1 GROUP BY state", tx.workspace
        )
        return {row["state"]: row["jobs"] for row in rows}
