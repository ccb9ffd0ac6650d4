"""New keys in the place of old ones: of a workspace for a purpose, and of the key provider for all of them.

A data key is replaced lazily. The new one is given out at once to whoever opens, and seals only `SEALS_AFTER` later,
when all who hold keys have asked for them again; what the old one sealed stays as it is and opens with it, until the
row is written the next time. Events are never written again, so that old keys stay as long as the workspace does.

A key-encryption key is replaced by wrapping every data key anew: no row that a data key sealed is touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from libs.contracts.envelope import enveloped
from libs.contracts.errors import Rejected
from libs.contracts.events import KeyRotated
from libs.contracts.identity import KeyPurpose, derived_id
from libs.crypto.bearer import INSTALLATION
from libs.crypto.key_provider import KeyProvider
from libs.crypto.keyring import KEYS_KEPT
from libs.database.port import Database
from libs.eventlog.port import EventLog
from libs.runtime.clock import Clock
from libs.runtime.crashpoints import crashpoint
from services.auth.domain.wrapped_key import WrappedKey, newest
from services.auth.flow.keyring import new_key, place_of, refuse_erased
from services.auth.ports import KeyStore

SEALS_AFTER: Final = 2 * KEYS_KEPT
"""How long after it is made a key begins to seal. Keys stay in memory half as long; the rest is for clocks apart."""

GENERATIONS_MAX: Final = 1_000
"""Keys of one purpose of a workspace: one a month for eighty years. All are given out together, and must fit."""


@dataclass(frozen=True)
class Rewrapped:
    """What a change of the key-encryption key did.

    Attributes:
        keys: Data keys looked at.
        changed: Those that were under an older key-encryption key.
    """

    keys: int
    changed: int


class Rotating:
    """The keys of all workspaces."""

    def __init__(
        self, *, database: Database, store: KeyStore, log: EventLog, provider: KeyProvider, clock: Clock
    ) -> None:
        self._database = database
        self._store = store
        self._log = log
        self._provider = provider
        self._clock = clock

    async def workspaces(self) -> list[UUID]:
        """Every workspace that has keys, the one of what belongs to no customer among them.

        Raises:
            Transient: The database does not answer.
        """
        async with self._database.transaction(INSTALLATION) as tx:
            return await self._store.known_workspaces(tx)

    async def rotate(self, workspace: UUID, purpose: KeyPurpose) -> WrappedKey:
        """Give a workspace a new key for a purpose. While the last one does not seal yet, that one is the new one.

        Raises:
            Rejected: `no_keys` when the workspace has sealed nothing; `workspace_erased`; `too_many_keys` beyond
                `GENERATIONS_MAX`.
            Transient: The database or the key provider does not answer.
        """
        now = self._clock.now()
        async with self._database.transaction(workspace) as tx:
            await refuse_erased(self._store, tx)
            last = newest(await self._store.keys(tx), purpose)
        if last is None:
            raise Rejected("This workspace has no keys; it has sealed nothing yet.", code="no_keys")
        if now < last.seals_from <= now + SEALS_AFTER:  # a later one was made by a clock that has gone back since
            return last
        if last.generation >= GENERATIONS_MAX:
            raise Rejected(f"This workspace has {GENERATIONS_MAX} keys for {purpose} already.", code="too_many_keys")
        generation, seals_from = last.generation + 1, now + SEALS_AFTER
        made = await new_key(self._provider, workspace, purpose, generation, now=now, seals_from=seals_from)
        rotated = enveloped(
            KeyRotated(purpose=purpose, key=made.id, seals_from=made.seals_from),
            workspace=workspace,
            record=f"key/{purpose}",
            cause=derived_id("key", made.id),
            occurred_at=now,
        )
        async with self._database.transaction(workspace) as tx:
            await refuse_erased(self._store, tx, hold=True)
            if await self._store.add_keys(tx, [made]):
                await self._log.append(tx, [rotated])
        return newest(await self._keys(workspace), purpose) or made  # another's, if two did so at once

    async def rewrap(self, *, new_key_encryption_key: bool = False) -> Rewrapped:
        """Wrap every data key with the newest key-encryption key. What was done before an end in the middle stays done.

        Args:
            new_key_encryption_key: Make one first.

        Raises:
            Malformed: `wrong_key_encryption_key` when a key was wrapped by one that is not there; those before it are
                done.
            Rejected: As the provider says.
            Transient: The database or the key provider does not answer.
        """
        if new_key_encryption_key:
            await self._provider.rotate()
        keys = changed = 0
        for workspace in await self.workspaces():
            for key in await self._keys(workspace):
                keys += 1
                changed += await self._rewrap(workspace, key)
        return Rewrapped(keys, changed)

    async def _rewrap(self, workspace: UUID, key: WrappedKey) -> bool:
        wrapped = await self._provider.rewrap(place_of(workspace, key), key.wrapped)
        if wrapped == key.wrapped:
            return False
        async with self._database.transaction(workspace) as tx:
            written = await self._store.rewrap_key(tx, key, wrapped)
        crashpoint("auth.rewrapped")
        return written

    async def _keys(self, workspace: UUID) -> list[WrappedKey]:
        async with self._database.transaction(workspace) as tx:
            return await self._store.keys(tx)
