"""xero_mcp's rows in memory: the twin of the Postgres store."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from libs.database.memory import table_of
from libs.database.port import Transaction
from services.xero_mcp.domain.token import Token, TokenKind

_CLIENTS = "xero_mcp.client"
_TOKENS = "xero_mcp.token"

_A_DAY = timedelta(days=1)


class MemoryXeroMcpStore:
    """Everything xero_mcp keeps, unsealed, as long as the process lives."""

    async def add_client(self, tx: Transaction, client: str, metadata: bytes, *, now: datetime) -> None:
        """Add one."""
        table_of(tx, _CLIENTS)[client] = (metadata, now, None)

    async def client(self, tx: Transaction, client: str) -> bytes | None:
        """Its metadata."""
        row = table_of(tx, _CLIENTS).get(client)
        return None if row is None else bytes(row[0])

    async def count_clients(self, tx: Transaction, *, made_after: datetime | None = None) -> int:
        """How many there are, or were made after an instant."""
        return sum(made_after is None or made > made_after for _, made, _ in table_of(tx, _CLIENTS).values())

    async def sweep_clients(self, tx: Transaction, *, unused_before: datetime, idle_before: datetime) -> None:
        """Drop those that were made before `unused_before` and never used, or last used before `idle_before`."""
        table = table_of(tx, _CLIENTS)
        for key, (_, made, used) in list(table.items()):
            if made < unused_before if used is None else used < idle_before:
                del table[key]

    async def mark_used(self, tx: Transaction, client: str, now: datetime) -> None:
        """It got tokens. Within a day of the last time nothing is written."""
        table = table_of(tx, _CLIENTS)
        if client in table:
            metadata, made, used = table[client]
            table[client] = (metadata, made, now if used is None or used < now - _A_DAY else used)

    async def add_tokens(self, tx: Transaction, tokens: list[Token], *, now: datetime) -> None:
        """Add tokens and drop expired ones."""
        table = table_of(tx, _TOKENS)
        for sha256 in [kept.sha256 for kept in table.values() if kept.expires_at <= now]:
            del table[sha256]
        table.update({token.sha256: token for token in tokens})

    async def token(
        self, tx: Transaction, kind: TokenKind, sha256: bytes, *, now: datetime, hold: bool = False
    ) -> Token | None:
        """A token; every transaction in memory holds everything, so `hold` changes nothing."""
        del hold
        found: Token | None = table_of(tx, _TOKENS).get(sha256)
        return found if found is not None and found.kind == kind and found.expires_at > now else None

    async def spend(self, tx: Transaction, sha256: bytes, *, now: datetime, kept_until: datetime) -> None:
        """Mark a token as used, and let it be forgotten at `kept_until` at the latest."""
        table = table_of(tx, _TOKENS)
        kept = table[sha256]
        table[sha256] = replace(kept, spent_at=kept.spent_at or now, expires_at=min(kept.expires_at, kept_until))

    async def hold_children(self, tx: Transaction, parent: bytes) -> bool:
        """Whether any token that this one bought was used; every transaction in memory holds everything."""
        bought = [kept for kept in table_of(tx, _TOKENS).values() if kept.parent == parent]
        return any(kept.spent_at is not None for kept in bought)

    async def drop_children(self, tx: Transaction, parent: bytes) -> None:
        """Drop what this token bought."""
        table = table_of(tx, _TOKENS)
        for sha256 in [kept.sha256 for kept in table.values() if kept.parent == parent]:
            del table[sha256]

    async def end_family(self, tx: Transaction, family: UUID) -> None:
        """Drop every token of a consent; every transaction in memory holds everything."""
        table = table_of(tx, _TOKENS)
        for sha256 in [kept.sha256 for kept in table.values() if kept.family == family]:
            del table[sha256]

    async def drop_oldest(self, tx: Transaction, kind: TokenKind, *, keep: int) -> None:
        """Drop those of a kind that end first, until `keep` are left."""
        table = table_of(tx, _TOKENS)
        of_it = (kept for kept in table.values() if kept.kind == kind)
        for kept in sorted(of_it, key=lambda kept: kept.expires_at, reverse=True)[keep:]:
            del table[kept.sha256]

    async def count(self, tx: Transaction, kind: TokenKind, *, now: datetime) -> int:
        """How many tokens of a kind are good."""
        return sum(kept.kind == kind and kept.expires_at > now for kept in table_of(tx, _TOKENS).values())
