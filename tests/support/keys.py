"""Keys for tests: made at first use, gone with the test."""

from __future__ import annotations

import os
from uuid import UUID, uuid4

from libs.contracts.identity import KeyPurpose
from libs.crypto.keyring import Keyring, Sealer
from libs.crypto.seal import DataKey, WorkspaceKeys
from libs.runtime.clock import Clock, SystemClock


class MemoryKeyring:
    """Gives each workspace keys of its own for each purpose."""

    def __init__(self) -> None:
        self._keys: dict[tuple[UUID, KeyPurpose], WorkspaceKeys] = {}

    async def keys(self, workspace: UUID, purpose: KeyPurpose) -> WorkspaceKeys:
        """The keys of a workspace for one purpose, made at first use."""
        if (workspace, purpose) not in self._keys:
            key = DataKey(uuid4(), os.urandom(32))
            index_secret = os.urandom(32) if purpose == "payloads" else None
            self._keys[workspace, purpose] = WorkspaceKeys(workspace, key, {key.id: key}, index_secret)
        return self._keys[workspace, purpose]

    def take_over(self, other: MemoryKeyring) -> None:
        """Have the keys of another keyring from now on, as after a rotation."""
        self._keys = other._keys


def sealer_over(keyring: Keyring, purpose: KeyPurpose = "payloads", clock: Clock | None = None) -> Sealer:
    """A sealer for one purpose, by the machine's clock unless another is given."""
    return Sealer(keyring, purpose, clock or SystemClock())
