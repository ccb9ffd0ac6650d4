"""Which connections work, over all workspaces, by one statement of the role that carries logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from libs.contracts.identity import Provider
from libs.database.postgres import lost_as_transient

_CONNECTED: Final = (
    "SELECT workspace FROM auth.connection WHERE provider = $1 AND state IN ('active', 'refused') ORDER BY workspace"
)


@dataclass(frozen=True)
class PostgresConnected:
    """Asks `auth.connection`, of which this role sees workspace, provider and state alone."""

    pool: asyncpg.Pool

    async def connected(self, provider: Provider) -> list[UUID]:
        """The workspaces whose connection to a provider is active, or refused for now and tried again.

        Raises:
            Transient: The database could not be reached.
        """
        with lost_as_transient():
            return [row["workspace"] for row in await self.pool.fetch(_CONNECTED, provider)]
