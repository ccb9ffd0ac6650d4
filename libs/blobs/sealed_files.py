"""A folder of sealed files: `<workspace>/<two digits>/<sha256>`, each under its workspace's key.

Putting is: write beside, flush to disk, rename, flush the folder. A crash leaves the whole file or none under its
address, and at most a stray file beside it whose name begins with a dot and which nothing reads.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from pathlib import Path
from typing import Final
from uuid import UUID

from libs.blobs.refusals import no_such_document, refuse_beyond_limit
from libs.contracts.errors import Malformed, Transient
from libs.crypto.keyring import Sealer
from libs.crypto.seal import WorkspaceSeal

_TABLE: Final = "blobs.file"
_COLUMN: Final = "content"


class SealedFiles:
    """The blob store of one machine.

    Args:
        folder: Where the files lie; made when missing, for its owner only.
        sealer: Whose seals close and open them.
    """

    def __init__(self, folder: Path, sealer: Sealer) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._sealer = sealer

    async def put(self, workspace: UUID, content: bytes) -> str:
        """Keep bytes, durable when this returns, and give their SHA-256 address.

        Raises:
            Rejected: `document_too_large` beyond `BLOB_MAX_BYTES`.
            Transient: The disk is full or refuses; a person frees it.
        """
        refuse_beyond_limit(content)
        address = hashlib.sha256(content).hexdigest()
        path = self._path(workspace, address)
        seal = await self._sealer.of(workspace)
        try:
            await asyncio.to_thread(_keep, path, seal, address, content)
        except OSError as error:
            raise Transient(f"A document could not be written to disk ({error.strerror}).") from error
        return address

    async def get(self, workspace: UUID, sha256: str) -> bytes:
        """The bytes of an address, checked against it.

        Raises:
            Rejected: `no_such_document` when this workspace never put it.
            Malformed: The stored bytes were altered.
        """
        try:
            sealed = await asyncio.to_thread(self._path(workspace, sha256).read_bytes)
        except FileNotFoundError:
            raise no_such_document() from None
        seal = await self._sealer.of(workspace)
        content = seal.open(sealed, table=_TABLE, row=sha256, column=_COLUMN)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise Malformed("A stored document does not have the content its address names.", code="document_altered")
        return content

    async def forget(self, workspace: UUID) -> None:
        """Delete every document of a workspace that was erased.

        Raises:
            Transient: The disk refuses; what was deleted is, and the rest may be asked for again.
        """
        try:
            await asyncio.to_thread(_remove, self._folder / str(workspace))
        except OSError as error:
            raise Transient(f"The documents of a workspace could not be deleted ({error.strerror}).") from error

    def _path(self, workspace: UUID, address: str) -> Path:
        if len(address) != hashlib.sha256().digest_size * 2 or not set(address) <= set("0123456789abcdef"):
            raise no_such_document()
        return self._folder / str(workspace) / address[:2] / address


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _keep(path: Path, seal: WorkspaceSeal, address: str, content: bytes) -> None:
    if not path.exists():
        _write(path, seal.seal(content, table=_TABLE, row=address, column=_COLUMN))
    # Also when it was there: the put that made it may not have come as far as this.
    _flush_folder(path.parent)
    _flush_folder(path.parent.parent)


def _write(path: Path, sealed: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with beside.open("wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
