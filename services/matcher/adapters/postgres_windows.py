"""Windows in Postgres: a bit for each bucket in a 64-bit column, all ones being -1.

Nothing is noted of a provider any more once one window of it is complete: that is all anybody asks, and asks often, of
a table that would otherwise grow with every window.
"""

from __future__ import annotations

from collections.abc import Sequence

from libs.contracts.identity import Provider
from libs.database.port import Transaction
from libs.database.postgres import connection_of
from services.matcher.ports import Barrier

_SEE = """
INSERT INTO matcher.window_seen AS seen (workspace, provider, window_name, buckets)
SELECT $1, provider, window_name, bit_or(1::bigint << bucket)
FROM unnest($2::text[], $3::text[], $4::int[]) AS new(provider, window_name, bucket)
WHERE NOT EXISTS (
    SELECT FROM matcher.window_seen AS whole
    WHERE whole.workspace = $1 AND whole.provider = new.provider AND whole.buckets = -1)
GROUP BY provider, window_name ORDER BY provider, window_name
ON CONFLICT (workspace, provider, window_name) DO UPDATE SET buckets = seen.buckets | excluded.buckets
"""

_COMPLETE = "SELECT DISTINCT provider FROM matcher.window_seen WHERE workspace = $1 AND buckets = -1"


class PostgresWindows:
    """Which windows were seen to their end."""

    async def see(self, tx: Transaction, barriers: Sequence[Barrier]) -> None:
        """Note barriers; one seen before changes nothing."""
        await connection_of(tx).execute(
            _SEE,
            tx.workspace,
            [barrier.provider for barrier in barriers],
            [barrier.window for barrier in barriers],
            [barrier.bucket for barrier in barriers],
        )

    async def complete(self, tx: Transaction) -> frozenset[Provider]:
        """The providers of which at least one window was seen in all buckets."""
        rows = await connection_of(tx).fetch(_COMPLETE, tx.workspace)
        return frozenset(row["provider"] for row in rows)
