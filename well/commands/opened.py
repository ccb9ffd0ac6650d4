"""An installation opened for a command that looks or answers, beside the process that runs it or without one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from libs.runtime.clock import SystemClock
from services.audit.flow.trail import Trail
from services.console.flow.sign_off import SignOff
from services.console.main import build
from well.home import current
from well.storage import opened_storage
from well.whose import known


@dataclass(frozen=True)
class Opened:
    """What such a command needs.

    Attributes:
        workspace: Whose records.
        queue: What waits, and the way to answer.
        trail: The trails.
    """

    workspace: UUID
    queue: SignOff
    trail: Trail


@asynccontextmanager
async def opened(workspace: UUID | None) -> AsyncIterator[Opened]:
    """The installation started last.

    Args:
        workspace: Whose records; None takes the workspace of this machine's one customer.

    Raises:
        Rejected: `no_installation` when nothing was ever started here; `no_such_workspace`; `workspace_missing`.
        Transient: Its Postgres does not answer.
    """
    installation, clock = current(), SystemClock()
    async with opened_storage(installation, clock, database_url=installation.database_url) as storage:
        console = build(
            database=storage.databases["console"],
            log=storage.log("console"),
            sealer=storage.sealers.payloads,
            clock=clock,
        )
        yield Opened(await known(workspace, installation, storage), console.queue, Trail(storage.reader))
