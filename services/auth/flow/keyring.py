"""The keys of a workspace: made at first use, wrapped at rest, opened in memory only."""

from __future__ import annotations

import os
from typing import Final
from uuid import UUID, uuid4

from libs.crypto.key_provider import KEY_BYTES, KeyProvider
from libs.crypto.seal import DataKey, WorkspaceKeys
from libs.database.port import Database
from libs.runtime.clock import Clock
from services.auth.domain.wrapped_key import Purpose, WrappedKey
from services.auth.ports import KeyStore

DEFAULT_REGION: Final = "eu"
"""The region of a workspace that nobody placed: Qonto's customers are in the European Union."""

_PURPOSES: Final[tuple[Purpose, ...]] = ("row", "index")


class StoredKeyring:
    """The keyring behind `libs.crypto.keyring.Keyring`.

    Notes:
        Two processes that meet a new workspace at once both make keys and both insert; the database keeps the first of
        each purpose, and both then read what was kept. A key that was not kept has sealed nothing.
    """

    def __init__(self, database: Database, store: KeyStore, provider: KeyProvider, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._provider = provider
        self._clock = clock

    async def keys(self, workspace: UUID) -> WorkspaceKeys:
        """All keys of a workspace, made on first use.

        Raises:
            Malformed: `wrong_key_encryption_key` when they were wrapped by another key-encryption key.
            Transient: The database or the key provider does not answer.
        """
        async with self._database.transaction(workspace) as tx:
            stored = await self._store.keys(tx)
        if {key.purpose for key in stored if key.current} != set(_PURPOSES):
            stored = await self._make(workspace)
        return await self._opened(workspace, stored)

    async def _make(self, workspace: UUID) -> list[WrappedKey]:
        now = self._clock.now()
        made = [
            WrappedKey(uuid4(), purpose, await self._provider.wrap(workspace, os.urandom(KEY_BYTES)), True, now)
            for purpose in _PURPOSES
        ]
        async with self._database.transaction(workspace) as tx:
            await self._store.know(tx, DEFAULT_REGION, now)
            await self._store.add_first_keys(tx, made)
        async with self._database.transaction(workspace) as tx:
            return await self._store.keys(tx)

    async def _opened(self, workspace: UUID, stored: list[WrappedKey]) -> WorkspaceKeys:
        secrets = {key.id: await self._provider.unwrap(workspace, key.wrapped) for key in stored}
        by_id = {key.id: DataKey(key.id, secrets[key.id]) for key in stored if key.purpose == "row"}
        current = {key.purpose: key.id for key in stored if key.current}
        return WorkspaceKeys(workspace, by_id[current["row"]], by_id, secrets[current["index"]])
