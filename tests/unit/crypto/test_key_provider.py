"""The key-encryption key: in a file of its owner alone, and the only one that opens what it wrapped."""

from __future__ import annotations

import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from libs.contracts.errors import Malformed, Rejected
from libs.crypto.key_provider import KEY_BYTES, FileKeyProvider, KeyPlace, MemoryKeyProvider, read_or_make_key

SECRET = b"s" * 32


def a_place() -> KeyPlace:
    """Where a key of tokens lies."""
    return KeyPlace(uuid4(), "tokens", uuid4())


async def test_a_wrapped_key_opens_again() -> None:
    provider, place = MemoryKeyProvider(), a_place()
    wrapped = await provider.wrap(place, SECRET)
    assert SECRET not in wrapped
    assert await provider.unwrap(place, wrapped) == SECRET


@pytest.mark.parametrize("part", ["workspace", "purpose", "key"])
async def test_a_key_wrapped_for_one_place_does_not_open_at_another(part: str) -> None:
    provider, place = MemoryKeyProvider(), a_place()
    elsewhere = replace(place, **{part: "payloads" if part == "purpose" else uuid4()})
    wrapped = await provider.wrap(place, SECRET)
    for asked in (provider.unwrap, provider.rewrap):
        with pytest.raises(Malformed) as refused:
            await asked(elsewhere, wrapped)
        assert refused.value.code == "wrong_key_encryption_key"


async def test_a_wrapped_key_of_which_any_bit_was_altered_does_not_open() -> None:
    provider, place = MemoryKeyProvider(), a_place()
    await provider.rotate()
    wrapped = await provider.wrap(place, SECRET)
    for bit in range(len(wrapped) * 8):
        altered = bytearray(wrapped)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Malformed):
            await provider.unwrap(place, bytes(altered))


async def test_a_new_key_encryption_key_wraps_from_now_on_and_those_before_still_unwrap() -> None:
    provider, place = MemoryKeyProvider(), a_place()
    old = await provider.wrap(place, SECRET)
    assert await provider.rewrap(place, old) == old
    await provider.rotate()
    assert await provider.unwrap(place, old) == SECRET
    new = await provider.rewrap(place, old)
    assert new != old
    assert await provider.rewrap(place, new) == new
    assert await provider.unwrap(place, new) == SECRET


async def test_what_was_wrapped_in_the_first_form_opens_for_its_workspace_and_takes_the_newest_form() -> None:
    key, place = b"k" * KEY_BYTES, a_place()
    provider, nonce = MemoryKeyProvider(key), b"n" * 12
    first = b"\x01" + nonce + AESGCM(key).encrypt(nonce, SECRET, place.workspace.bytes)
    assert await provider.unwrap(place, first) == SECRET
    with pytest.raises(Malformed):
        await provider.unwrap(replace(place, workspace=uuid4()), first)
    rewrapped = await provider.rewrap(place, first)
    assert rewrapped[:1] != first[:1]
    assert await provider.unwrap(place, rewrapped) == SECRET


async def test_a_key_wrapped_by_another_key_does_not_open() -> None:
    place = a_place()
    wrapped = await MemoryKeyProvider().wrap(place, SECRET)
    with pytest.raises(Malformed, match="from a backup") as refused:
        await MemoryKeyProvider().unwrap(place, wrapped)
    assert refused.value.code == "wrong_key_encryption_key"


@pytest.mark.parametrize("kept_bytes", [0, 5, 12, 20, 59])
async def test_a_wrapped_key_cut_short_does_not_open(kept_bytes: int) -> None:
    provider, place = MemoryKeyProvider(), a_place()
    wrapped = await provider.wrap(place, SECRET)
    with pytest.raises(Malformed):
        await provider.unwrap(place, wrapped[:kept_bytes])


def test_the_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "key"
    key = read_or_make_key(file)
    assert len(key) == KEY_BYTES
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_or_make_key(file) == key


def test_two_that_make_the_key_file_at_once_use_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: read_or_make_key(tmp_path / "key"), range(8)))
    assert len(keys) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


async def test_what_was_wrapped_before_a_restart_opens_after_it(tmp_path: Path) -> None:
    place = a_place()
    wrapped = await FileKeyProvider(tmp_path / "key").wrap(place, SECRET)
    assert await FileKeyProvider(tmp_path / "key").unwrap(place, wrapped) == SECRET


async def test_a_file_that_another_process_adds_wraps_at_the_next_use(tmp_path: Path) -> None:
    running, command = FileKeyProvider(tmp_path / "key"), FileKeyProvider(tmp_path / "key")
    place = a_place()
    old = await running.wrap(place, SECRET)
    await command.rotate()
    assert stat.S_IMODE((tmp_path / "key.2").stat().st_mode) == 0o600
    new = await running.rewrap(place, old)
    assert new != old
    assert await FileKeyProvider(tmp_path / "key").unwrap(place, new) == SECRET
    (tmp_path / "key.2").unlink()
    with pytest.raises(Malformed):
        await FileKeyProvider(tmp_path / "key").unwrap(place, new)


async def test_a_key_encryption_key_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    provider = FileKeyProvider(tmp_path / "key")
    shutil.rmtree(tmp_path)
    with pytest.raises(Rejected, match="No key file can be written") as refused:
        await provider.rotate()
    assert refused.value.code == "key_file"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o601, 0o777])
def test_a_key_file_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "key"
    read_or_make_key(file)
    file.chmod(mode)
    with pytest.raises(Rejected, match="chmod 600") as refused:
        read_or_make_key(file)
    assert refused.value.code == "key_file"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
@pytest.mark.parametrize(("mode", "shown"), [(0o440, True), (0o640, True), (0o604, False), (0o620, False)])
def test_a_key_file_of_another_user_may_be_read_by_its_group_only(tmp_path: Path, mode: int, *, shown: bool) -> None:
    file = tmp_path / "key"
    key = read_or_make_key(file)
    nobody = 65534
    os.chown(file, nobody, -1)
    file.chmod(mode)
    if shown:
        assert read_or_make_key(file) == key
    else:
        with pytest.raises(Rejected, match="can be read by others"):
            read_or_make_key(file)


@pytest.mark.parametrize("size_bytes", [0, 16, 31, 33])
def test_a_key_file_of_another_length_is_refused(tmp_path: Path, size_bytes: int) -> None:
    file = tmp_path / "key"
    file.touch(0o600)
    file.write_bytes(b"k" * size_bytes)
    with pytest.raises(Rejected, match=f"{size_bytes} bytes.*from a backup") as refused:
        read_or_make_key(file)
    assert refused.value.code == "key_file"
