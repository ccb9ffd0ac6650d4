"""Where a service gets the keys of a workspace, and the small cache in front of it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from libs.contracts.identity import KeyPurpose
from libs.crypto.seal import WorkspaceKeys, WorkspaceSeal
from libs.runtime.clock import Clock, is_within

CACHED_WORKSPACES: Final = 1024
"""Workspaces whose keys stay in memory. About 1 kB each; more would be a list of everybody's keys in one process."""

KEYS_KEPT: Final = timedelta(minutes=5)
"""How long keys stay in memory before they are asked for again. So long a process that was running may still open a
workspace that was erased, and seal with a key that was replaced; and so long it works on while auth is away. Auth is
asked once in that time for each workspace in use, which is nothing to it."""


class Keyring(Protocol):
    """Lends the keys of a workspace. The auth service stands behind it."""

    async def keys(self, workspace: UUID, purpose: KeyPurpose) -> WorkspaceKeys:
        """All keys of a workspace for one purpose, made on first use.

        Raises:
            Rejected: `workspace_erased` when its keys were destroyed; `not_allowed` when they are not for whoever asks.
        """
        ...


class Sealer:
    """Gives each workspace its seal for one purpose, keeping those of the most recently used in memory for a while.

    Args:
        keyring: Where the keys come from.
        purpose: What they are for.
        clock: The one clock.
    """

    def __init__(self, keyring: Keyring, purpose: KeyPurpose, clock: Clock) -> None:
        self._keyring = keyring
        self._purpose = purpose
        self._clock = clock
        self._seals: OrderedDict[UUID, tuple[datetime, WorkspaceSeal]] = OrderedDict()

    async def of(self, workspace: UUID) -> WorkspaceSeal:
        """The seal of a workspace. Take it anew for each piece of work; one that is held on to outlives `KEYS_KEPT`.

        Raises:
            Rejected: `workspace_erased` when its keys were destroyed.
        """
        now = self._clock.now()
        since, seal = self._seals.get(workspace, (None, None))
        if seal is None or since is None or not is_within(KEYS_KEPT, since=since, now=now):
            self._drop_old(now)
            seal = WorkspaceSeal(await self._keyring.keys(workspace, self._purpose))
            self._seals[workspace] = (now, seal)
            if len(self._seals) > CACHED_WORKSPACES:
                self._seals.popitem(last=False)
        self._seals.move_to_end(workspace)
        return seal

    def forget(self, workspace: UUID) -> None:
        """Drop a workspace's keys from memory, after an erasure."""
        self._seals.pop(workspace, None)

    def _drop_old(self, now: datetime) -> None:
        """Keys whose time is over leave memory, whether anybody asks for them again or not."""
        old = [kept for kept, (since, _) in self._seals.items() if not is_within(KEYS_KEPT, since=since, now=now)]
        for workspace in old:
            self.forget(workspace)


@dataclass(frozen=True)
class Sealers:
    """A sealer for each purpose. A service asks for none that it has no use for, and auth would refuse it."""

    tokens: Sealer
    payloads: Sealer
    documents: Sealer


def sealers_of(keyring: Keyring, clock: Clock) -> Sealers:
    """The sealers over a keyring."""
    return Sealers(*(Sealer(keyring, purpose, clock) for purpose in ("tokens", "payloads", "documents")))
