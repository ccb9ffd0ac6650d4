"""The wrapped keys of workspaces in Postgres: what every seal needs first, and so needs no seal itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from libs.database.port import Transaction
from libs.database.postgres import connection_of
from services.auth.domain.wrapped_key import WrappedKey

_KNOW: Final = """
INSERT INTO auth.workspace (workspace, region, made_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""

_KNOWN: Final = "SELECT workspace FROM auth.workspace WHERE erased_at IS NULL ORDER BY workspace"

_ERASED: Final = "SELECT workspace FROM auth.workspace WHERE erased_at < $1 ORDER BY erased_at"

_IS_ERASED: Final = "SELECT erased_at IS NOT NULL FROM auth.workspace WHERE workspace = $1"

_KEYS: Final = """
SELECT id, purpose, generation, wrapped, made_at, seals_from FROM auth.workspace_key WHERE workspace = $1
ORDER BY purpose, generation
"""

_ADD_KEYS: Final = """
INSERT INTO auth.workspace_key (workspace, id, purpose, generation, wrapped, made_at, seals_from)
SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::integer[], $5::bytea[], $6::timestamptz[], $7::timestamptz[])
ON CONFLICT (workspace, purpose, generation) DO NOTHING
RETURNING id
"""

_REWRAP_KEY: Final = """
UPDATE auth.workspace_key SET wrapped = $5 WHERE workspace = $1 AND purpose = $2 AND id = $3 AND wrapped = $4
RETURNING id
"""

_MARK_ERASED: Final = """
UPDATE auth.workspace SET erased_at = coalesce(erased_at, $2), connected_at = NULL WHERE workspace = $1
"""

_DELETE: Final = (
    "DELETE FROM auth.workspace_key WHERE workspace = $1",
    "DELETE FROM auth.connection WHERE workspace = $1",
    "DELETE FROM auth.ticket WHERE workspace = $1",
    "DELETE FROM auth.program WHERE workspace = $1",
)


class PostgresKeyStore:
    """The list of workspaces and their keys, as the role `well_auth`."""

    async def know(self, tx: Transaction, region: str, now: datetime) -> None:
        """Put the workspace on the list, unless it stands there."""
        await connection_of(tx).execute(_KNOW, tx.workspace, region, now)

    async def known_workspaces(self, tx: Transaction) -> list[UUID]:
        """Every workspace on the list that was not erased, whichever one the transaction is of."""
        return [row["workspace"] for row in await connection_of(tx).fetch(_KNOWN)]

    async def erased_workspaces(self, tx: Transaction, *, before: datetime) -> list[UUID]:
        """Every workspace that was erased before an instant, whichever one the transaction is of."""
        return [row["workspace"] for row in await connection_of(tx).fetch(_ERASED, before)]

    async def is_erased(self, tx: Transaction, *, hold: bool = False) -> bool:
        """Whether the workspace was erased; with `hold`, nobody erases it until the transaction ends."""
        sql = f"{_IS_ERASED} FOR SHARE" if hold else _IS_ERASED
        return bool(await connection_of(tx).fetchval(sql, tx.workspace))

    async def keys(self, tx: Transaction) -> list[WrappedKey]:
        """All its keys."""
        return [WrappedKey(**row) for row in await connection_of(tx).fetch(_KEYS, tx.workspace)]

    async def add_keys(self, tx: Transaction, keys: Sequence[WrappedKey]) -> int:
        """Add keys, and tell how many: a generation that is there already is left alone."""
        added = await connection_of(tx).fetch(
            _ADD_KEYS,
            tx.workspace,
            [key.id for key in keys],
            [key.purpose for key in keys],
            [key.generation for key in keys],
            [key.wrapped for key in keys],
            [key.made_at for key in keys],
            [key.seals_from for key in keys],
        )
        return len(added)

    async def rewrap_key(self, tx: Transaction, key: WrappedKey, wrapped: bytes) -> bool:
        """Keep other bytes for a key; False, and nothing changed, when those that `key` has are not kept any more."""
        row = (tx.workspace, key.purpose, key.id, key.wrapped, wrapped)
        return await connection_of(tx).fetchrow(_REWRAP_KEY, *row) is not None

    async def erase(self, tx: Transaction, now: datetime) -> None:
        """Mark the workspace erased, and delete its keys, connections, tickets and programs."""
        connection = connection_of(tx)
        await connection.execute(_MARK_ERASED, tx.workspace, now)  # first: whoever makes keys holds this row
        for statement in _DELETE:
            await connection.execute(statement, tx.workspace)
