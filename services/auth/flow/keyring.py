"""The keys of a workspace: made at first use, wrapped at rest, opened in memory only."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from libs.contracts.errors import Rejected
from libs.contracts.identity import KeyPurpose
from libs.crypto.key_provider import KEY_BYTES, KeyPlace, KeyProvider
from libs.crypto.seal import DataKey, WorkspaceKeys
from libs.database.port import Database, Transaction
from libs.runtime.clock import Clock
from services.auth.domain.wrapped_key import PURPOSES, StoredPurpose, WrappedKey, sealing
from services.auth.ports import KeyStore

DEFAULT_REGION: Final = "eu"
"""The region of a workspace that nobody placed: Qonto's customers are in the European Union."""

_NEEDED: Final[dict[KeyPurpose, tuple[StoredPurpose, ...]]] = {
    "tokens": ("tokens",),
    "payloads": ("payloads", "index"),
    "documents": ("documents",),
}

_MADE_TOGETHER: Final[tuple[StoredPurpose, ...]] = (*PURPOSES, "index")
"""All at the first use of any: a later one may come inside a transaction that holds the workspace's row on the list,
and making keys would wait for that row for ever."""


class StoredKeyring:
    """The keyring behind `libs.crypto.keyring.Keyring`.

    Notes:
        Two processes that meet a new workspace at once both make keys and both insert; the database keeps the first of
        each purpose, and both then read what was kept. A key that was not kept has sealed nothing. Of one that makes
        keys and one that erases, the second waits for the first; a workspace that was erased gets no keys again.
    """

    def __init__(self, database: Database, store: KeyStore, provider: KeyProvider, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._provider = provider
        self._clock = clock

    async def keys(self, workspace: UUID, purpose: KeyPurpose) -> WorkspaceKeys:
        """All keys of a workspace for one purpose, made on first use.

        Raises:
            Rejected: `workspace_erased` when its keys were destroyed.
            Malformed: `wrong_key_encryption_key` when they were wrapped by another key-encryption key.
            Transient: The database or the key provider does not answer.
        """
        needed = _NEEDED[purpose]
        stored = await self._stored(workspace)
        if not {key.purpose for key in stored} >= set(needed):
            await self._make(workspace)
            stored = await self._stored(workspace)
        return await self._opened(workspace, purpose, [key for key in stored if key.purpose in needed])

    async def _stored(self, workspace: UUID) -> list[WrappedKey]:
        async with self._database.transaction(workspace) as tx:
            await refuse_erased(self._store, tx)
            return await self._store.keys(tx)

    async def _make(self, workspace: UUID) -> None:
        now = self._clock.now()
        made = [await new_key(self._provider, workspace, each, 1, now=now, seals_from=now) for each in _MADE_TOGETHER]
        async with self._database.transaction(workspace) as tx:
            await self._store.know(tx, DEFAULT_REGION, now)
            await refuse_erased(self._store, tx, hold=True)
            await self._store.add_keys(tx, made)

    async def _opened(self, workspace: UUID, purpose: KeyPurpose, stored: Sequence[WrappedKey]) -> WorkspaceKeys:
        secrets = {
            (key.purpose, key.id): await self._provider.unwrap(place_of(workspace, key), key.wrapped) for key in stored
        }
        by_id = {id_: DataKey(id_, secret) for (kept_for, id_), secret in secrets.items() if kept_for == purpose}
        current = sealing((key for key in stored if key.purpose == purpose), now=self._clock.now())
        index = [secret for (kept_for, _), secret in secrets.items() if kept_for == "index"]
        return WorkspaceKeys(workspace, by_id[current.id], by_id, index[0] if index else None)


async def refuse_erased(store: KeyStore, tx: Transaction, *, hold: bool = False) -> None:
    """Let a workspace that was not erased pass; with `hold`, nobody erases it until the transaction ends.

    Raises:
        Rejected: `workspace_erased`.
    """
    if await store.is_erased(tx, hold=hold):
        raise Rejected("This workspace was erased: its keys are destroyed.", code="workspace_erased")


async def new_key(
    provider: KeyProvider,
    workspace: UUID,
    purpose: StoredPurpose,
    generation: int,
    *,
    now: datetime,
    seals_from: datetime,
) -> WrappedKey:
    """A new key by chance, wrapped.

    Raises:
        Transient: The key provider does not answer.
    """
    id_ = uuid4()
    wrapped = await provider.wrap(KeyPlace(workspace, purpose, id_), os.urandom(KEY_BYTES))
    return WrappedKey(id_, purpose, generation, wrapped, now, seals_from)


def place_of(workspace: UUID, key: WrappedKey) -> KeyPlace:
    """What a stored key is bound to."""
    return KeyPlace(workspace, key.purpose, key.id)
