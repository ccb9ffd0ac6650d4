"""The cache of seals: small and for minutes, the most recently used stay, and what is forgotten is asked for again."""

from __future__ import annotations

import gc
import weakref
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from libs.contracts.errors import Malformed, Rejected
from libs.contracts.identity import KeyPurpose
from libs.crypto.keyring import CACHED_WORKSPACES, KEYS_KEPT, sealers_of
from libs.crypto.seal import WorkspaceKeys
from libs.runtime.clock import ManualClock, SystemClock
from tests.support.keys import MemoryKeyring, sealer_over


class CountingKeyring(MemoryKeyring):
    """Counts how often each workspace's keys are asked for, and refuses those that were erased."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[UUID] = []
        self.erased: set[UUID] = set()

    async def keys(self, workspace: UUID, purpose: KeyPurpose) -> WorkspaceKeys:
        self.asked.append(workspace)
        if workspace in self.erased:
            raise Rejected("The keys of this workspace were destroyed.", code="workspace_erased")
        return await super().keys(workspace, purpose)


async def test_a_workspace_is_asked_for_once() -> None:
    keyring, workspace = CountingKeyring(), uuid4()
    sealer = sealer_over(keyring)
    assert await sealer.of(workspace) is await sealer.of(workspace)
    assert keyring.asked == [workspace]


async def test_the_least_recently_used_leaves_when_the_cache_is_full() -> None:
    keyring = CountingKeyring()
    sealer = sealer_over(keyring)
    oldest, used = uuid4(), uuid4()
    for workspace in (used, oldest, *(uuid4() for _ in range(CACHED_WORKSPACES - 2)), used, uuid4()):
        await sealer.of(workspace)
    keyring.asked.clear()
    await sealer.of(used)
    assert keyring.asked == []
    await sealer.of(oldest)
    assert keyring.asked == [oldest]


async def test_a_forgotten_workspace_is_asked_for_again_and_may_be_gone() -> None:
    keyring, workspace = CountingKeyring(), uuid4()
    sealer = sealer_over(keyring)
    await sealer.of(workspace)
    sealer.forget(workspace)
    sealer.forget(uuid4())
    keyring.erased.add(workspace)
    for _ in range(2):
        with pytest.raises(Rejected, match="destroyed"):
            await sealer.of(workspace)
    assert keyring.asked == [workspace] * 3


async def test_keys_are_asked_for_anew_after_their_time_and_when_the_clock_was_set_back() -> None:
    keyring, workspace = CountingKeyring(), uuid4()
    start = datetime(2026, 11, 1, tzinfo=UTC)
    clock = ManualClock(start)
    sealer = sealer_over(keyring, clock=clock)
    await sealer.of(workspace)
    clock.advance(KEYS_KEPT.total_seconds() - 1)
    await sealer.of(workspace)
    assert keyring.asked == [workspace]
    clock.advance(1)
    await sealer.of(workspace)
    assert keyring.asked == [workspace] * 2
    clock.advance(-3600)
    await sealer.of(workspace)
    assert keyring.asked == [workspace] * 3
    keyring.erased.add(workspace)
    clock.advance(KEYS_KEPT.total_seconds())
    with pytest.raises(Rejected, match="destroyed"):
        await sealer.of(workspace)


async def test_what_is_sealed_for_one_purpose_opens_for_no_other_and_names_are_blinded_for_one() -> None:
    workspace = uuid4()
    sealers = sealers_of(MemoryKeyring(), SystemClock())
    place = {"table": "t", "row": "r", "column": "c"}
    sealed = (await sealers.tokens.of(workspace)).seal(b"a token", **place)
    for other in (sealers.payloads, sealers.documents):
        with pytest.raises(Malformed, match="no key that opens"):
            (await other.of(workspace)).open(sealed, **place)
    assert (await sealers.payloads.of(workspace)).blind("record", "x") != b""
    for blinds_nothing in (sealers.tokens, sealers.documents):
        with pytest.raises(ValueError, match="payloads"):
            (await blinds_nothing.of(workspace)).blind("record", "x")


async def test_keys_leave_memory_after_their_time_though_nobody_asks_for_them_again() -> None:
    clock = ManualClock(datetime(2026, 11, 1, tzinfo=UTC))
    sealer = sealer_over(MemoryKeyring(), clock=clock)
    old = weakref.ref(await sealer.of(uuid4()))
    gc.collect()
    assert old() is not None
    clock.advance(KEYS_KEPT.total_seconds())
    await sealer.of(uuid4())
    gc.collect()
    assert old() is None
