"""Where something is due, over all workspaces, by one statement.

A transaction belongs to one workspace, so that asking each of two hundred whether it has work costs two hundred of
them. The role that carries logs may see of the tables of jobs whose a row is and when it is due, and nothing else:
columns granted one by one (deploy/migrations/*/0002_due.sql).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from libs.database.postgres import lost_as_transient


@dataclass(frozen=True)
class DueByStatement:
    """Asks with one statement.

    Attributes:
        pool: Connections of the role that carries logs.
        statement: Gives the column `workspace`; `$1` are the workspaces asked about, `$2` the instant, then `fixed`.
        fixed: Further arguments, always the same.
    """

    pool: asyncpg.Pool
    statement: str
    fixed: tuple[object, ...] = ()

    async def __call__(self, workspaces: Sequence[UUID], now: datetime) -> list[UUID]:
        """Those of the workspaces where something is due.

        Raises:
            Transient: The database could not be reached.
        """
        with lost_as_transient():
            rows = await self.pool.fetch(self.statement, list(workspaces), now, *self.fixed)
        return [row["workspace"] for row in rows]
