"""The keyring: made once, the same for everybody, closed without its key-encryption key."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from libs.contracts.errors import Malformed
from libs.crypto.key_provider import MemoryKeyProvider
from libs.runtime.clock import SystemClock
from services.auth.domain.wrapped_key import PURPOSES
from services.auth.flow.keyring import StoredKeyring
from tests.contract.auth.kept import Kept
from tests.support.keys import sealer_over


async def test_processes_that_meet_a_new_workspace_at_once_make_one_key(kept: Kept) -> None:
    database, store = await kept.database(), kept.store
    provider, workspace = MemoryKeyProvider(), uuid4()
    keyrings = [StoredKeyring(database, store, provider, SystemClock()) for _ in range(4)]
    keys = await asyncio.gather(*(keyring.keys(workspace, "payloads") for keyring in keyrings))
    assert len({(k.current.secret, k.index_secret) for k in keys}) == 1


async def test_what_was_sealed_yesterday_opens_today(kept: Kept) -> None:
    database, store = await kept.database(), kept.store
    provider, workspace = MemoryKeyProvider(), uuid4()
    yesterday = await sealer_over(StoredKeyring(database, store, provider, SystemClock())).of(workspace)
    sealed = yesterday.seal(b"a token", table="t", row="r", column="c")
    today = await sealer_over(StoredKeyring(database, store, provider, SystemClock())).of(workspace)
    assert today.open(sealed, table="t", row="r", column="c") == b"a token"


async def test_two_workspaces_have_different_keys(kept: Kept) -> None:
    database, store = await kept.database(), kept.store
    keyring = StoredKeyring(database, store, MemoryKeyProvider(), SystemClock())
    one, other = await keyring.keys(uuid4(), "payloads"), await keyring.keys(uuid4(), "payloads")
    assert one.current.secret != other.current.secret
    assert one.index_secret != other.index_secret


async def test_each_purpose_has_a_key_of_its_own_and_one_alone_blinds(kept: Kept) -> None:
    database, store, workspace = await kept.database(), kept.store, uuid4()
    keyring = StoredKeyring(database, store, MemoryKeyProvider(), SystemClock())
    keys = {purpose: await keyring.keys(workspace, purpose) for purpose in PURPOSES}
    assert len({held.current.secret for held in keys.values()}) == len(PURPOSES)
    assert len({id_ for held in keys.values() for id_ in held.by_id}) == len(PURPOSES)
    assert [purpose for purpose, held in keys.items() if held.index_secret] == ["payloads"]


async def test_another_key_encryption_key_opens_nothing(kept: Kept) -> None:
    database, store = await kept.database(), kept.store
    workspace = uuid4()
    await StoredKeyring(database, store, MemoryKeyProvider(), SystemClock()).keys(workspace, "payloads")
    with pytest.raises(Malformed) as refused:
        await StoredKeyring(database, store, MemoryKeyProvider(), SystemClock()).keys(workspace, "payloads")
    assert refused.value.code == "wrong_key_encryption_key"
