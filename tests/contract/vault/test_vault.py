"""Vault's transit engine as the key provider, over its HTTP interface. Sources stand in `tests/support/vault.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from libs.contracts.errors import Malformed, Rejected, Transient
from libs.crypto.key_provider import KeyPlace, MemoryKeyProvider
from libs.crypto.vault import VaultAt, VaultKeyProvider
from libs.database.memory import MemoryDatabase
from libs.eventlog.memory import MemoryEventLog
from libs.runtime.clock import SystemClock
from services.auth.adapters.memory import MemoryAuthStore
from services.auth.flow.keyring import StoredKeyring
from services.auth.flow.rotate import Rotating
from tests.support.vault import TOKEN, NamedKey, Vault, running_vault

SECRET = b"s" * 32


@dataclass(frozen=True)
class Held:
    """A key provider over a Vault, and where the token lies."""

    vault: Vault
    at: VaultAt
    before: MemoryKeyProvider

    @property
    def provider(self) -> VaultKeyProvider:
        """Of a process that has just started."""
        return VaultKeyProvider(self.at, self.before)


@pytest.fixture
async def held(tmp_path: Path) -> AsyncIterator[Held]:
    """A Vault of this test's own."""
    token_file = tmp_path / "token"
    token_file.write_text(f"{TOKEN}\n", "utf-8")
    async with running_vault() as vault:
        yield Held(vault, VaultAt(vault.url, "well", token_file), MemoryKeyProvider())


def a_place() -> KeyPlace:
    """Where a key of tokens lies."""
    return KeyPlace(uuid4(), "tokens", uuid4())


async def test_a_key_wrapped_by_vault_opens_at_its_own_place_alone(held: Held) -> None:
    place = a_place()
    wrapped = await held.provider.wrap(place, SECRET)
    assert wrapped.startswith(b"vault:v1:")
    assert await held.provider.unwrap(place, wrapped) == SECRET
    for other in ({"workspace": uuid4()}, {"purpose": "payloads"}, {"key": uuid4()}):
        elsewhere = replace(place, **other)
        for asked in (held.provider.unwrap, held.provider.rewrap):
            with pytest.raises(Malformed) as refused:
                await asked(elsewhere, wrapped)
            assert refused.value.code == "wrong_key_encryption_key"


async def test_a_rewrapping_leaves_the_data_key_in_vault_and_ends_once_it_is_under_the_newest_version(
    held: Held,
) -> None:
    provider, place = held.provider, a_place()
    old = await provider.wrap(place, SECRET)
    assert await provider.rewrap(place, old) == old
    await provider.rotate()
    held.vault.calls.clear()
    new = await provider.rewrap(place, old)
    assert new.startswith(b"vault:v2:")
    assert await provider.rewrap(place, new) == new
    assert set(held.vault.calls) == {"rewrap"}
    assert [await provider.unwrap(place, each) for each in (old, new)] == [SECRET, SECRET]
    held.vault.keys["well"].min_decryption_version = 2  # what makes old backups unreadable
    assert await provider.unwrap(place, new) == SECRET
    with pytest.raises(Malformed):
        await provider.unwrap(place, old)


async def test_keys_that_files_wrapped_open_and_a_rewrapping_moves_them_into_vault(held: Held) -> None:
    database, store, log, clock = MemoryDatabase(), MemoryAuthStore(), MemoryEventLog("auth"), SystemClock()
    workspace = uuid4()
    before = await StoredKeyring(database, store, held.before, clock).keys(workspace, "payloads")
    keyring = StoredKeyring(database, store, held.provider, clock)
    assert await keyring.keys(workspace, "payloads") == before
    rotating = Rotating(database=database, store=store, log=log, provider=held.provider, clock=clock)
    assert (await rotating.rewrap()).changed == 4
    assert (await rotating.rewrap(new_key_encryption_key=True)).changed == 4
    assert (await rotating.rewrap()).changed == 0
    async with database.transaction(workspace) as tx:
        assert all(key.wrapped.startswith(b"vault:v2:") for key in await store.keys(tx))
    assert await keyring.keys(workspace, "payloads") == before


async def test_a_key_that_is_not_derived_is_refused_since_it_would_bind_nothing(held: Held) -> None:
    place = a_place()
    loose = held.vault.keys["well"] = NamedKey(derived=False)
    assert loose.decrypt(loose.encrypt(SECRET, b"one place"), b"another") == SECRET  # it ignores the context
    for asked in (held.provider.wrap(place, SECRET), held.provider.rotate()):
        with pytest.raises(Rejected, match="derived=true") as refused:
            await asked
        assert refused.value.code == "vault_key"
    assert len(loose.versions) == 1


async def test_a_vault_that_is_away_or_sealed_is_worth_another_try(held: Held) -> None:
    place = a_place()
    wrapped = await held.provider.wrap(place, SECRET)
    held.vault.sealed = True
    nowhere = VaultKeyProvider(replace(held.at, url="http://127.0.0.1:9"), held.before)
    for provider in (held.provider, nowhere):
        for asked in (provider.wrap(place, SECRET), provider.unwrap(place, wrapped), provider.rewrap(place, wrapped)):
            with pytest.raises(Transient, match="Vault does not answer"):
                await asked
    held.vault.sealed = False
    assert await held.provider.unwrap(place, wrapped) == SECRET


@pytest.mark.parametrize(
    "body",
    ["<html>", "", "[]", "null", "{}", '{"data": null}', '{"data": {}}', '{"data": {"plaintext": "not base64"}}'],
)
async def test_something_else_at_vaults_address_is_waited_out(held: Held, body: str) -> None:
    place, provider = a_place(), held.provider
    wrapped = await provider.wrap(place, SECRET)
    held.vault.instead = body
    for asked in (provider.wrap(place, SECRET), provider.unwrap(place, wrapped), provider.rewrap(place, wrapped)):
        with pytest.raises(Transient, match="none of Vault's"):
            await asked
    with pytest.raises(Transient, match="none of Vault's"):
        await held.provider.wrap(place, SECRET)  # which looks first whether the key is a derived one


@pytest.mark.parametrize("forbidden", ["encrypt", "decrypt", "rewrap", "rotate", "read"])
async def test_what_the_tokens_policy_does_not_allow_is_a_persons_to_mend(held: Held, forbidden: str) -> None:
    place = a_place()
    wrapped = await held.provider.wrap(place, SECRET)
    held.vault.allowed.discard(forbidden)
    calls = {
        "encrypt": held.provider.wrap(place, SECRET),
        "decrypt": held.provider.unwrap(place, wrapped),
        "rewrap": held.provider.rewrap(place, wrapped),
        "rotate": held.provider.rotate(),
        "read": held.provider.wrap(place, SECRET),
    }
    for name, call in calls.items():
        if name != forbidden:
            call.close()
    with pytest.raises(Rejected, match="Vault refuses") as refused:
        await calls[forbidden]
    assert refused.value.code == "vault_refused"


async def test_the_token_is_read_again_for_each_call_and_one_that_cannot_be_is_said(held: Held) -> None:
    place, file = a_place(), held.at.token_file
    wrapped = await held.provider.wrap(place, SECRET)
    file.write_text("hvs.one-that-has-ended", "utf-8")
    with pytest.raises(Rejected, match="Vault refuses"):
        await held.provider.unwrap(place, wrapped)
    for no_token in (b"", b"\xff\xfe", b"two\nlines", "h\u00e9".encode()):
        file.write_bytes(no_token)
        with pytest.raises(Rejected, match="holds no token"):
            await held.provider.unwrap(place, wrapped)
    file.unlink()
    with pytest.raises(Rejected, match="cannot be read"):
        await held.provider.unwrap(place, wrapped)
    file.write_text(TOKEN, "utf-8")
    assert await held.provider.unwrap(place, wrapped) == SECRET


async def test_no_error_and_no_repr_holds_the_token_or_the_key(held: Held) -> None:
    place = a_place()
    held.vault.keys.clear()
    with pytest.raises(Rejected) as refused:
        await held.provider.wrap(place, SECRET)
    said = repr((refused.value, held.at, held.provider, refused.value.sentence))
    assert TOKEN not in said
    assert repr(SECRET)[2:-1] not in said
