"""Where a service gets the keys of a workspace, and the small cache in front of it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, Protocol
from uuid import UUID

from libs.crypto.seal import WorkspaceKeys, WorkspaceSeal

CACHED_WORKSPACES: Final = 1024
"""Workspaces whose keys stay in memory. About 1 kB each; more would be a list of everybody's keys in one process."""


class Keyring(Protocol):
    """Lends the keys of a workspace. The auth service stands behind it."""

    async def keys(self, workspace: UUID) -> WorkspaceKeys:
        """All keys of a workspace, made on first use.

        Raises:
            Rejected: `workspace_erased` when its keys were destroyed.
        """
        ...


class Sealer:
    """Gives each workspace its seal, keeping the most recently used in memory."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._seals: OrderedDict[UUID, WorkspaceSeal] = OrderedDict()

    async def of(self, workspace: UUID) -> WorkspaceSeal:
        """The seal of a workspace.

        Raises:
            Rejected: `workspace_erased` when its keys were destroyed.
        """
        seal = self._seals.get(workspace)
        if seal is None:
            seal = self._seals[workspace] = WorkspaceSeal(await self._keyring.keys(workspace))
            if len(self._seals) > CACHED_WORKSPACES:
                self._seals.popitem(last=False)
        self._seals.move_to_end(workspace)
        return seal

    def forget(self, workspace: UUID) -> None:
        """Drop a workspace's keys from memory, after a rotation or an erasure."""
        self._seals.pop(workspace, None)
