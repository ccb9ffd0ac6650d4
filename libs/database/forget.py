"""Deletes what a service keeps of workspaces that were erased. Its log stays, for its proofs; nothing of it opens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from uuid import UUID

import structlog

from libs.database.port import Database
from libs.database.postgres import connection_of

FORGET_SECONDS: Final = 60.0
"""Seconds between looks whether a workspace was erased. Nothing waits for it: its keys are gone already."""

ROWS_AT_ONCE: Final = 5_000
"""Rows deleted in one transaction: some tens of milliseconds, so that nobody waits for a large workspace to go."""

_TABLES: Final = """
SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace' AND NOT a.attisdropped
WHERE c.relkind = 'r' AND n.nspname = $1 AND has_table_privilege(c.oid, 'DELETE') ORDER BY 1
"""
"""Those that the service may delete from. It may not from its log, nor may anybody."""

_DELETE: Final = """
WITH gone AS (
    DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE workspace = $1 LIMIT $2)) RETURNING 1
)
SELECT count(*) FROM gone
"""


class Forgetting:
    """The rows of one service.

    Args:
        service: Whose; its schema has the same name.
        database: As its role.
        erased: Tells which workspaces were erased, long enough ago that no process has their keys.
        besides: Deletes what it keeps of a workspace outside of Postgres.
        rows_at_once: Deleted in one transaction.
    """

    def __init__(
        self,
        service: str,
        database: Database,
        erased: Callable[[], Awaitable[Sequence[UUID]]],
        besides: Callable[[UUID], Awaitable[None]] | None = None,
        *,
        rows_at_once: int = ROWS_AT_ONCE,
    ) -> None:
        self._service = service
        self._database = database
        self._erased = erased
        self._besides = besides
        self._rows_at_once = rows_at_once
        self._forgotten: set[UUID] = set()

    async def step(self) -> int:
        """Forget one workspace that this process has not looked at yet; 0 when there is none.

        Raises:
            Transient: The database or auth does not answer; what was deleted is, and the rest is deleted next time.
        """
        for workspace in await self._erased():
            if workspace not in self._forgotten:
                rows = await self._forget(workspace)
                if self._besides is not None:
                    await self._besides(workspace)
                self._forgotten.add(workspace)
                structlog.get_logger().info(
                    "database.forgotten", service=self._service, workspace=str(workspace), rows=rows
                )
                return 1
        return 0

    async def _forget(self, workspace: UUID) -> int:
        async with self._database.transaction(workspace) as tx:
            tables = [row["name"] for row in await connection_of(tx).fetch(_TABLES, self._service)]
        rows = 0
        for table in tables:
            gone = self._rows_at_once
            while gone == self._rows_at_once:
                async with self._database.transaction(workspace) as tx:
                    gone = await connection_of(tx).fetchval(_DELETE.format(table=table), workspace, self._rows_at_once)
                rows += gone
        return rows
