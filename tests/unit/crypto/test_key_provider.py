"""The key-encryption key: in a file of its owner alone, and the only one that opens what it wrapped."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from libs.contracts.errors import Malformed, Rejected
from libs.crypto.key_provider import KEY_BYTES, FileKeyProvider, MemoryKeyProvider, read_or_make_key

SECRET = b"s" * 32


async def test_a_wrapped_key_opens_again() -> None:
    provider, workspace = MemoryKeyProvider(), uuid4()
    wrapped = await provider.wrap(workspace, SECRET)
    assert SECRET not in wrapped
    assert await provider.unwrap(workspace, wrapped) == SECRET


async def test_a_key_wrapped_for_one_workspace_does_not_open_for_another() -> None:
    provider = MemoryKeyProvider()
    wrapped = await provider.wrap(uuid4(), SECRET)
    with pytest.raises(Malformed) as refused:
        await provider.unwrap(uuid4(), wrapped)
    assert refused.value.code == "wrong_key_encryption_key"


async def test_a_key_wrapped_by_another_key_does_not_open() -> None:
    workspace = uuid4()
    wrapped = await MemoryKeyProvider().wrap(workspace, SECRET)
    with pytest.raises(Malformed) as refused:
        await MemoryKeyProvider().unwrap(workspace, wrapped)
    assert refused.value.code == "wrong_key_encryption_key"


@pytest.mark.parametrize("kept_bytes", [0, 5, 12, 20, 59])
async def test_a_wrapped_key_cut_short_does_not_open(kept_bytes: int) -> None:
    provider, workspace = MemoryKeyProvider(), uuid4()
    wrapped = await provider.wrap(workspace, SECRET)
    with pytest.raises(Malformed):
        await provider.unwrap(workspace, wrapped[:kept_bytes])


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
    workspace = uuid4()
    wrapped = await FileKeyProvider(tmp_path / "key").wrap(workspace, SECRET)
    assert await FileKeyProvider(tmp_path / "key").unwrap(workspace, wrapped) == SECRET


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
    with pytest.raises(Rejected, match=f"{size_bytes} bytes") as refused:
        read_or_make_key(file)
    assert refused.value.code == "key_file"
