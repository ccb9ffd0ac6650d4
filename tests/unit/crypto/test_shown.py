"""What holds a key or a token does not show it: not in a repr, not in the repr of what holds it, not in an error."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from libs.auth_client import wire
from libs.contracts.errors import Malformed
from libs.crypto.bearer import Bearer
from libs.crypto.key_provider import FileKeyProvider, KeyPlace, MemoryKeyProvider
from libs.crypto.keyring import Sealer
from libs.crypto.lent import LentToken
from libs.crypto.seal import DataKey, WorkspaceKeys, WorkspaceSeal
from libs.runtime.clock import SystemClock
from services.auth.domain.wrapped_key import WrappedKey
from tests.support.keys import MemoryKeyring

SECRET = b"0123456789abcdef0123456789ABCDEF"


async def test_no_repr_shows_a_key_or_a_token(tmp_path: Path) -> None:
    now, key = datetime.now(UTC), DataKey(uuid4(), SECRET)
    keys = WorkspaceKeys(uuid4(), key, {key.id: key}, SECRET)
    (tmp_path / "key").touch(0o600)
    (tmp_path / "key").write_bytes(SECRET)
    holders = [
        key,
        keys,
        WorkspaceSeal(keys),
        Sealer(MemoryKeyring(), "tokens", SystemClock()),
        MemoryKeyProvider(SECRET),
        FileKeyProvider(tmp_path / "key"),
        WrappedKey(uuid4(), "tokens", 1, SECRET, now, now),
        Bearer(uuid4(), SECRET.decode()),
        LentToken(SECRET.decode(), "an account", now),
        wire.keys_told(keys),
        wire.opening_keys_told(keys),
        wire.RefusedToken(workspace=uuid4(), secret=SECRET.decode()),
    ]
    for holder in holders:
        shown = f"{holder!r} {holder} {[holder]}"
        for form in (SECRET.decode(), SECRET.hex(), base64.b64encode(SECRET).decode()):
            assert form not in shown, type(holder)


async def test_an_error_about_a_key_does_not_hold_it() -> None:
    place = KeyPlace(uuid4(), "tokens", uuid4())
    wrapped = await MemoryKeyProvider(SECRET).wrap(place, SECRET)
    with pytest.raises(Malformed) as refused:
        await MemoryKeyProvider().unwrap(place, wrapped)
    said = f"{refused.value!r} {refused.value} {refused.value.__cause__!r}"
    assert wrapped.hex() not in said
    assert SECRET.decode() not in said
