"""One suite over both blob stores."""

from __future__ import annotations

import hashlib
from pathlib import Path
from uuid import uuid4

import pytest

from libs.blobs.memory import MemoryBlobs
from libs.blobs.port import BLOB_MAX_BYTES, BlobStore
from libs.blobs.sealed_files import SealedFiles
from libs.contracts.errors import Malformed, Rejected, Transient
from tests.support.keys import MemoryKeyring, sealer_over

WORKSPACE = uuid4()
CONTENT = b"%PDF-1.4 a bill"


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture(params=["memory", "files"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return MemoryBlobs() if request.param == "memory" else SealedFiles(tmp_path / "blobs", sealer_over(MemoryKeyring()))


async def test_what_was_put_comes_back_under_its_sha256(blobs: BlobStore) -> None:
    address = await blobs.put(WORKSPACE, CONTENT)
    assert address == hashlib.sha256(CONTENT).hexdigest()
    assert await blobs.get(WORKSPACE, address) == CONTENT


async def test_putting_twice_keeps_one(blobs: BlobStore) -> None:
    assert await blobs.put(WORKSPACE, CONTENT) == await blobs.put(WORKSPACE, CONTENT)


async def test_another_workspace_has_nothing_at_that_address(blobs: BlobStore) -> None:
    address = await blobs.put(WORKSPACE, CONTENT)
    with pytest.raises(Rejected) as refusal:
        await blobs.get(uuid4(), address)
    assert refusal.value.code == "no_such_document"


async def test_a_workspace_that_is_forgotten_has_nothing_and_another_keeps_its_own(blobs: BlobStore) -> None:
    other = uuid4()
    address = await blobs.put(WORKSPACE, CONTENT)
    assert address == await blobs.put(other, CONTENT)
    for _ in range(2):
        await blobs.forget(WORKSPACE)
        with pytest.raises(Rejected):
            await blobs.get(WORKSPACE, address)
    assert await blobs.get(other, address) == CONTENT


@pytest.mark.parametrize("address", ["", "../../etc/passwd", "A" * 64, "0" * 63])
async def test_what_is_no_address_is_refused(blobs: BlobStore, address: str) -> None:
    with pytest.raises(Rejected):
        await blobs.get(WORKSPACE, address)


async def test_beyond_the_limit_is_refused(blobs: BlobStore) -> None:
    with pytest.raises(Rejected) as refusal:
        await blobs.put(WORKSPACE, bytes(BLOB_MAX_BYTES + 1))
    assert refusal.value.code == "document_too_large"


async def test_files_are_sealed_and_leave_nothing_beside_them(tmp_path: Path) -> None:
    await SealedFiles(tmp_path, sealer_over(MemoryKeyring())).put(WORKSPACE, CONTENT)
    [file] = files_in(tmp_path)
    assert CONTENT not in file.read_bytes()
    assert file.name == hashlib.sha256(CONTENT).hexdigest()


async def test_a_disk_that_refuses_is_worth_another_try(tmp_path: Path) -> None:
    blobs = SealedFiles(tmp_path, sealer_over(MemoryKeyring()))
    (tmp_path / str(WORKSPACE)).write_bytes(b"a file where a folder should be")
    with pytest.raises(Transient):
        await blobs.put(WORKSPACE, CONTENT)
    with pytest.raises(Transient):
        await blobs.forget(WORKSPACE)


async def test_an_altered_or_moved_file_does_not_open(tmp_path: Path) -> None:
    blobs = SealedFiles(tmp_path, sealer_over(MemoryKeyring()))
    first, second = await blobs.put(WORKSPACE, CONTENT), await blobs.put(WORKSPACE, b"another bill")
    folder = tmp_path / str(WORKSPACE)
    (folder / first[:2] / first).write_bytes((folder / second[:2] / second).read_bytes())
    with pytest.raises(Malformed):
        await blobs.get(WORKSPACE, first)
