"""In which workspaces there are bills to decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from libs.database.postgres import lost_as_transient
from services.matcher.ports import Workspaces

_BILLS: Final = """
SELECT asked.workspace FROM unnest($1::uuid[]) AS asked (workspace) WHERE EXISTS (
    SELECT FROM matcher.bill AS bill WHERE bill.workspace = asked.workspace AND bill.is_due)
"""


@dataclass(frozen=True)
class WithDueBills:
    """Those of all workspaces that have bills to decide, found by one statement of the role that carries logs."""

    every: Workspaces
    pool: asyncpg.Pool

    async def workspaces(self) -> Sequence[UUID]:
        """Workspaces with at least one bill that is due.

        Raises:
            Transient: The database could not be reached.
        """
        known = await self.every.workspaces()
        with lost_as_transient():
            return [row["workspace"] for row in await self.pool.fetch(_BILLS, list(known))]
