"""What a workspace has connected."""

from __future__ import annotations

from typing import Final, get_args
from uuid import UUID

from libs.contracts.identity import Provider
from libs.database.port import Database
from services.auth.domain.connection import Connection
from services.auth.ports import ConnectionStore

_PROVIDERS: Final[tuple[Provider, ...]] = get_args(Provider)


class Listing:
    """The connections of workspaces, as they stand."""

    def __init__(self, *, database: Database, store: ConnectionStore) -> None:
        self._database = database
        self._store = store

    async def of(self, workspace: UUID) -> list[Connection]:
        """Every connection there is or was, one a provider at most."""
        async with self._database.transaction(workspace) as tx:
            found = [await self._store.connection(tx, provider) for provider in _PROVIDERS]
        return [connection for connection in found if connection is not None]
