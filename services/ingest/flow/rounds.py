"""One step of a job over all workspaces that are connected to a provider, some of them side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from libs.contracts.identity import Provider
from services.ingest.ports import Workspaces

WORKSPACES_AT_ONCE: Final = 4
"""Workspaces. Enough that one slow provider does not stand in line before all others; a round still ends with its
slowest call, which has a time-out. More would queue for the six connections of the database."""


async def over_connected(workspaces: Workspaces, provider: Provider, advance: Callable[[UUID], Awaitable[int]]) -> int:
    """Do a step for each workspace whose connection is active, or is tried again; gives the sum of what they did.

    A step that raises ends the round: it is a mistake of ours, or the database that does not answer.
    """
    free = asyncio.Semaphore(WORKSPACES_AT_ONCE)

    async def one(workspace: UUID) -> int:
        async with free:
            if await workspaces.connection_state(workspace, provider) not in {"active", "refused"}:
                return 0
            return await advance(workspace)

    known = await workspaces.workspaces()
    done = await asyncio.gather(*(one(workspace) for workspace in known), return_exceptions=True)
    for outcome in done:
        if isinstance(outcome, BaseException):
            raise outcome
    return sum(outcome for outcome in done if isinstance(outcome, int))
