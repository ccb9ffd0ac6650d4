"""The cache of seals: small, the most recently used stay, and what is forgotten is asked for again."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from libs.contracts.errors import Rejected
from libs.crypto.keyring import CACHED_WORKSPACES, Sealer
from libs.crypto.seal import WorkspaceKeys
from tests.support.keys import MemoryKeyring


class CountingKeyring(MemoryKeyring):
    """Counts how often each workspace's keys are asked for, and refuses those that were erased."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[UUID] = []
        self.erased: set[UUID] = set()

    async def keys(self, workspace: UUID) -> WorkspaceKeys:
        self.asked.append(workspace)
        if workspace in self.erased:
            raise Rejected("The keys of this workspace were destroyed.", code="workspace_erased")
        return await super().keys(workspace)


async def test_a_workspace_is_asked_for_once() -> None:
    keyring, workspace = CountingKeyring(), uuid4()
    sealer = Sealer(keyring)
    assert await sealer.of(workspace) is await sealer.of(workspace)
    assert keyring.asked == [workspace]


async def test_the_least_recently_used_leaves_when_the_cache_is_full() -> None:
    keyring = CountingKeyring()
    sealer = Sealer(keyring)
    oldest, used = uuid4(), uuid4()
    for workspace in (oldest, used, *(uuid4() for _ in range(CACHED_WORKSPACES - 2)), used, uuid4()):
        await sealer.of(workspace)
    keyring.asked.clear()
    await sealer.of(used)
    assert keyring.asked == []
    await sealer.of(oldest)
    assert keyring.asked == [oldest]


async def test_a_forgotten_workspace_is_asked_for_again_and_may_be_gone() -> None:
    keyring, workspace = CountingKeyring(), uuid4()
    sealer = Sealer(keyring)
    await sealer.of(workspace)
    sealer.forget(workspace)
    sealer.forget(uuid4())
    keyring.erased.add(workspace)
    for _ in range(2):
        with pytest.raises(Rejected, match="destroyed"):
            await sealer.of(workspace)
    assert keyring.asked == [workspace] * 3
