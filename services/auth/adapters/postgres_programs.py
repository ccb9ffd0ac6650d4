"""Programs that may read, in Postgres. What they said of themselves is sealed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from libs.crypto.keyring import Sealer
from libs.crypto.seal import WorkspaceSeal
from libs.database.port import Transaction
from libs.database.postgres import connection_of
from services.auth.domain.program import Program

_TABLE: Final = "auth.program"

_DROP: Final = "DELETE FROM auth.program WHERE workspace = $1 AND read_at <= $2"

_ADD: Final = """
INSERT INTO auth.program (workspace, consent, words, allowed_at, read_at) SELECT $1, $2, $3, $4, $5
WHERE (SELECT count(*) FROM auth.program WHERE workspace = $1) < $6
RETURNING consent
"""

_LIST: Final = "SELECT * FROM auth.program WHERE workspace = $1 AND read_at > $2 ORDER BY allowed_at, consent"

_READ_AT: Final = "SELECT read_at FROM auth.program WHERE workspace = $1 AND consent = $2"

_MARK_READ: Final = "UPDATE auth.program SET read_at = $3 WHERE workspace = $1 AND consent = $2"

_END: Final = "DELETE FROM auth.program WHERE workspace = $1 AND consent = $2 RETURNING consent"


class PostgresProgramStore:
    """Programs, as the role `well_auth`."""

    _sealer: Sealer

    async def add_program(self, tx: Transaction, program: Program, *, unused_before: datetime, limit: int) -> bool:
        """Add one and drop those that last read before an instant; False when `limit` others are there.

        Notes:
            Two that add at once may both see the last free place; the limit keeps a table small and is not exact.
        """
        words = {
            "client_name": program.client_name,
            "redirect_host": program.redirect_host,
            "document_host": program.document_host,
            "scopes": program.scopes,
        }
        seal = await self._sealer.of(tx.workspace)
        sealed = seal.seal(orjson.dumps(words), table=_TABLE, row=str(program.consent), column="words")
        connection = connection_of(tx)
        await connection.execute(_DROP, tx.workspace, unused_before)
        added = await connection.fetchrow(
            _ADD, tx.workspace, program.consent, sealed, program.allowed_at, program.read_at, limit
        )
        return added is not None

    async def programs(self, tx: Transaction, *, read_after: datetime) -> list[Program]:
        """Those that read after an instant, in the order in which they were allowed."""
        rows = await connection_of(tx).fetch(_LIST, tx.workspace, read_after)
        seal = await self._sealer.of(tx.workspace) if rows else None
        return [] if seal is None else [_opened(seal, row) for row in rows]

    async def program_read_at(self, tx: Transaction, consent: UUID) -> datetime | None:
        """When one last read; None when there is none."""
        read_at: datetime | None = await connection_of(tx).fetchval(_READ_AT, tx.workspace, consent)
        return read_at

    async def mark_program_read(self, tx: Transaction, consent: UUID, now: datetime) -> None:
        """It reads."""
        await connection_of(tx).execute(_MARK_READ, tx.workspace, consent, now)

    async def end_program(self, tx: Transaction, consent: UUID) -> bool:
        """Drop one; False when there is none."""
        return await connection_of(tx).fetchval(_END, tx.workspace, consent) is not None


def _opened(seal: WorkspaceSeal, row: Any) -> Program:  # noqa: ANN401 asyncpg's records have no type of their own
    words = orjson.loads(seal.open(row["words"], table=_TABLE, row=str(row["consent"]), column="words"))
    return Program(
        consent=row["consent"],
        client_name=words["client_name"],
        redirect_host=words["redirect_host"],
        document_host=words["document_host"],
        scopes=tuple(words["scopes"]),
        allowed_at=row["allowed_at"],
        read_at=row["read_at"],
    )
