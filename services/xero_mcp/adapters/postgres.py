"""xero_mcp's rows in Postgres."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from libs.crypto.keyring import Sealer
from libs.database.port import Transaction
from libs.database.postgres import connection_of
from services.xero_mcp.domain.token import Token, TokenKind

_CLIENT: Final = "xero_mcp.client"
_TOKEN: Final = "xero_mcp.token"  # noqa: S105 a table, no secret

_ADD_CLIENT: Final = "INSERT INTO xero_mcp.client (workspace, id, metadata, made_at) VALUES ($1, $2, $3, $4)"

_COUNT_CLIENTS: Final = """
SELECT count(*) FROM xero_mcp.client WHERE workspace = $1 AND ($2::timestamptz IS NULL OR made_at > $2)
"""

_SWEEP_CLIENTS: Final = """
DELETE FROM xero_mcp.client WHERE workspace = $1 AND (used_at < $3 OR (used_at IS NULL AND made_at < $2))
"""

_MARK_USED: Final = """
UPDATE xero_mcp.client SET used_at = $3
WHERE workspace = $1 AND id = $2 AND (used_at IS NULL OR used_at < $3::timestamptz - interval '1 day')
"""

_ADD_TOKENS: Final = """
INSERT INTO xero_mcp.token (workspace, sha256, kind, family, client, content, expires_at, parent)
SELECT $1, * FROM unnest($2::bytea[], $3::text[], $4::uuid[], $5::text[], $6::bytea[], $7::timestamptz[], $8::bytea[])
"""

_DROP_EXPIRED: Final = "DELETE FROM xero_mcp.token WHERE workspace = $1 AND expires_at <= $2"

_READ: Final = """
SELECT kind, sha256, family, client, content, expires_at, spent_at, parent FROM xero_mcp.token
WHERE workspace = $1 AND sha256 = $2 AND kind = $3 AND expires_at > $4
"""

_SPEND: Final = """
UPDATE xero_mcp.token SET spent_at = coalesce(spent_at, $3), expires_at = least(expires_at, $4)
WHERE workspace = $1 AND sha256 = $2
"""

_HOLD_CHILDREN: Final = "SELECT spent_at FROM xero_mcp.token WHERE workspace = $1 AND parent = $2 FOR UPDATE"
_DROP_CHILDREN: Final = "DELETE FROM xero_mcp.token WHERE workspace = $1 AND parent = $2"

_DROP_FAMILY: Final = "DELETE FROM xero_mcp.token WHERE workspace = $1 AND family = $2 RETURNING sha256"

_DROP_OLDEST: Final = """
DELETE FROM xero_mcp.token WHERE workspace = $1 AND sha256 IN (
    SELECT sha256 FROM xero_mcp.token WHERE workspace = $1 AND kind = $2 ORDER BY expires_at DESC OFFSET $3
)
"""

_COUNT: Final = "SELECT count(*) FROM xero_mcp.token WHERE workspace = $1 AND kind = $2 AND expires_at > $3"


class PostgresXeroMcpStore:
    """Everything xero_mcp keeps, as the role `well_xero_mcp`. Metadata and contents are sealed here."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def add_client(self, tx: Transaction, client: str, metadata: bytes, *, now: datetime) -> None:
        """Add one."""
        seal = await self._sealer.of(tx.workspace)
        sealed = seal.seal(metadata, table=_CLIENT, row=client, column="metadata")
        await connection_of(tx).execute(_ADD_CLIENT, tx.workspace, client, sealed, now)

    async def client(self, tx: Transaction, client: str) -> bytes | None:
        """Its metadata."""
        sql = "SELECT metadata FROM xero_mcp.client WHERE workspace = $1 AND id = $2"
        sealed = await connection_of(tx).fetchval(sql, tx.workspace, client)
        if sealed is None:
            return None
        return (await self._sealer.of(tx.workspace)).open(sealed, table=_CLIENT, row=client, column="metadata")

    async def count_clients(self, tx: Transaction, *, made_after: datetime | None = None) -> int:
        """How many there are, or were made after an instant."""
        return int(await connection_of(tx).fetchval(_COUNT_CLIENTS, tx.workspace, made_after))

    async def sweep_clients(self, tx: Transaction, *, unused_before: datetime, idle_before: datetime) -> None:
        """Drop those that were made before `unused_before` and never used, or last used before `idle_before`."""
        await connection_of(tx).execute(_SWEEP_CLIENTS, tx.workspace, unused_before, idle_before)

    async def mark_used(self, tx: Transaction, client: str, now: datetime) -> None:
        """It got tokens. Within a day of the last time nothing is written."""
        await connection_of(tx).execute(_MARK_USED, tx.workspace, client, now)

    async def add_tokens(self, tx: Transaction, tokens: list[Token], *, now: datetime) -> None:
        """Add tokens and drop expired ones."""
        connection = connection_of(tx)
        seal = await self._sealer.of(tx.workspace)
        await connection.execute(_DROP_EXPIRED, tx.workspace, now)
        await connection.execute(
            _ADD_TOKENS,
            tx.workspace,
            [token.sha256 for token in tokens],
            [token.kind for token in tokens],
            [token.family for token in tokens],
            [token.client for token in tokens],
            [seal.seal(token.content, table=_TOKEN, row=token.sha256.hex(), column="content") for token in tokens],
            [token.expires_at for token in tokens],
            [token.parent for token in tokens],
        )

    async def token(
        self, tx: Transaction, kind: TokenKind, sha256: bytes, *, now: datetime, hold: bool = False
    ) -> Token | None:
        """A token; with `hold`, nobody else holds or changes it until the transaction ends."""
        sql = f"{_READ} FOR UPDATE" if hold else _READ
        row = await connection_of(tx).fetchrow(sql, tx.workspace, sha256, kind, now)
        if row is None:
            return None
        seal = await self._sealer.of(tx.workspace)
        content = seal.open(row["content"], table=_TOKEN, row=sha256.hex(), column="content")
        return Token(**{**row, "content": content})

    async def spend(self, tx: Transaction, sha256: bytes, *, now: datetime, kept_until: datetime) -> None:
        """Mark a token as used, and let it be forgotten at `kept_until` at the latest."""
        await connection_of(tx).execute(_SPEND, tx.workspace, sha256, now, kept_until)

    async def hold_children(self, tx: Transaction, parent: bytes) -> bool:
        """Whether any token that this one bought was used; nobody else changes them until the transaction ends."""
        rows = await connection_of(tx).fetch(_HOLD_CHILDREN, tx.workspace, parent)
        return any(row["spent_at"] is not None for row in rows)

    async def drop_children(self, tx: Transaction, parent: bytes) -> None:
        """Drop what this token bought."""
        await connection_of(tx).execute(_DROP_CHILDREN, tx.workspace, parent)

    async def end_family(self, tx: Transaction, family: UUID) -> None:
        """Drop every token of a consent, and what is bought with one meanwhile."""
        # Whoever buys holds what it pays with: a round that met it waited, and missed what it bought.
        while await connection_of(tx).fetch(_DROP_FAMILY, tx.workspace, family):
            continue

    async def drop_oldest(self, tx: Transaction, kind: TokenKind, *, keep: int) -> None:
        """Drop those of a kind that end first, until `keep` are left."""
        await connection_of(tx).execute(_DROP_OLDEST, tx.workspace, kind, keep)

    async def count(self, tx: Transaction, kind: TokenKind, *, now: datetime) -> int:
        """How many tokens of a kind are good."""
        return int(await connection_of(tx).fetchval(_COUNT, tx.workspace, kind, now))
