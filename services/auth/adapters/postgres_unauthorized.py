"""What providers answered with 401 in Postgres: instants, which say nothing of anybody and need no seal."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import uuid4

from libs.contracts.identity import Provider
from libs.database.port import Transaction
from libs.database.postgres import connection_of

_DROP: Final = "DELETE FROM auth.unauthorized WHERE workspace = $1 AND provider = $2 AND seen_at <= $3"

_ADD: Final = """
INSERT INTO auth.unauthorized (workspace, provider, seen_at, id) SELECT $1, $2, $3, $4
WHERE (
    SELECT count(*) FROM auth.unauthorized WHERE workspace = $1 AND provider = $2 AND seen_at > $5 AND seen_at <= $3
) < $6
"""

_SEEN: Final = """
SELECT seen_at FROM auth.unauthorized WHERE workspace = $1 AND provider = $2 AND seen_at > $3 AND seen_at <= $4
"""


class PostgresUnauthorizedStore:
    """Answers of 401, as the role `well_auth`."""

    async def add_unauthorized(
        self, tx: Transaction, provider: Provider, at: datetime, *, after: datetime, limit: int
    ) -> None:
        """Add one, unless `limit` of them came after an instant, and drop those from before it."""
        connection = connection_of(tx)
        await connection.execute(_DROP, tx.workspace, provider, after)
        await connection.execute(_ADD, tx.workspace, provider, at, uuid4(), after, limit)

    async def unauthorized(
        self, tx: Transaction, provider: Provider, *, after: datetime, until: datetime
    ) -> list[datetime]:
        """When they came, after one instant and until another."""
        rows = await connection_of(tx).fetch(_SEEN, tx.workspace, provider, after, until)
        return [row["seen_at"] for row in rows]
