"""Which service forgets what of workspaces that were erased. No rule lives here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from uuid import UUID

from libs.blobs.sealed_files import SealedFiles
from libs.database.forget import FORGET_SECONDS, Forgetting
from libs.runtime.worker import Worker
from well.storage import Storage


def forgetting(
    storage: Storage, erased: Callable[[], Awaitable[Sequence[UUID]]], blobs: Path | None
) -> tuple[Worker, ...]:
    """A job for each service whose database this process has; auth's own rows go with the erasure itself.

    Args:
        storage: What they keep.
        erased: Tells which workspaces were erased.
        blobs: Where documents lie, which ingest deletes.
    """
    files = None if blobs is None else SealedFiles(blobs, storage.sealers.documents)
    return tuple(
        Worker(
            f"{service}.forget",
            Forgetting(service, database, erased, files.forget if files and service == "ingest" else None).step,
            FORGET_SECONDS,
        )
        for service, database in storage.databases.items()
        if service != "auth"
    )
