"""Insights as a process of its own, which a test may kill. It prints its port.

`READING_KAFKA`, `READING_PREFIX` and `READING_GROUP` say what it reads, `READING_KEY` what every workspace is sealed
with.
"""

from __future__ import annotations

import asyncio
import os
from uuid import UUID

from libs.contracts.errors import Rejected
from libs.contracts.identity import KeyPurpose
from libs.crypto.seal import DataKey, WorkspaceKeys
from libs.runtime.clock import SystemClock
from libs.runtime.listen import bound_socket, port_of
from libs.runtime.serving import serving
from services.insights.config import InsightsConfig
from services.insights.main import build
from tests.support.keys import sealer_over

ERASED = UUID(int=5)
"""The one workspace without keys."""


class Told:
    """What auth would say: one key for all, and a session that is the workspace's name."""

    async def keys(self, workspace: UUID, purpose: KeyPurpose) -> WorkspaceKeys:
        """The keys of a workspace that was not erased."""
        assert purpose == "payloads"
        if workspace == ERASED:
            raise Rejected("The workspace was erased.", code="workspace_erased")
        key = DataKey(UUID(int=1), bytes.fromhex(os.environ["READING_KEY"]))
        return WorkspaceKeys(workspace, key, {key.id: key}, bytes(32))

    async def visitor(self, session: str) -> UUID:
        """The workspace of a session."""
        try:
            return UUID(session)
        except ValueError:
            raise Rejected("You are not signed in.", code="no_session") from None


async def _main() -> None:
    told = Told()
    config = InsightsConfig(
        os.environ["READING_KAFKA"], os.environ["READING_PREFIX"], os.environ.get("READING_GROUP") or None
    )
    service = await build(config, sealer=sealer_over(told), visitors=told, clock=SystemClock())
    bound = bound_socket()
    async with serving(service.app, bound):
        print(port_of(bound), flush=True)  # noqa: T201 the test waits for it
        await service.reading.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(_main())
