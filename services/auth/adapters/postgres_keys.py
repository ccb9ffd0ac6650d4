"""The wrapped keys of workspaces in Postgres: what every seal needs first, and so needs no seal itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from libs.database.port import Transaction
from libs.database.postgres import connection_of
from services.auth.domain.wrapped_key import WrappedKey

_KNOW: Final = """
INSERT INTO auth.workspace (workspace, region, made_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""

_KEYS: Final = """
SELECT id, purpose, wrapped, current, made_at FROM auth.workspace_key WHERE workspace = $1
"""

_ADD_FIRST_KEYS: Final = """
INSERT INTO auth.workspace_key (workspace, id, purpose, wrapped, current, made_at)
SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::boolean[], $6::timestamptz[])
ON CONFLICT (workspace, purpose) WHERE current DO NOTHING
"""


class PostgresKeyStore:
    """The list of workspaces and their keys, as the role `well_auth`."""

    async def know(self, tx: Transaction, region: str, now: datetime) -> None:
        """Put the workspace on the list, unless it stands there."""
        await connection_of(tx).execute(_KNOW, tx.workspace, region, now)

    async def keys(self, tx: Transaction) -> list[WrappedKey]:
        """All its keys."""
        return [WrappedKey(**row) for row in await connection_of(tx).fetch(_KEYS, tx.workspace)]

    async def add_first_keys(self, tx: Transaction, keys: Sequence[WrappedKey]) -> None:
        """Add the first key of each purpose; one that has a current key already is left alone."""
        await connection_of(tx).execute(
            _ADD_FIRST_KEYS,
            tx.workspace,
            [key.id for key in keys],
            [key.purpose for key in keys],
            [key.wrapped for key in keys],
            [key.current for key in keys],
            [key.made_at for key in keys],
        )
