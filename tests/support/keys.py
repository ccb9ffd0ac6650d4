"""Keys for tests: made at first use, gone with the test."""

from __future__ import annotations

import os
from uuid import UUID, uuid4

from libs.crypto.seal import DataKey, WorkspaceKeys


class MemoryKeyring:
    """Gives each workspace keys of its own."""

    def __init__(self) -> None:
        self._keys: dict[UUID, WorkspaceKeys] = {}

    async def keys(self, workspace: UUID) -> WorkspaceKeys:
        """The keys of a workspace, made at first use."""
        if workspace not in self._keys:
            key = DataKey(uuid4(), os.urandom(32))
            self._keys[workspace] = WorkspaceKeys(workspace, key, {key.id: key}, os.urandom(32))
        return self._keys[workspace]

    def take_over(self, other: MemoryKeyring) -> None:
        """Have the keys of another keyring from now on, as after a rotation."""
        self._keys = other._keys
