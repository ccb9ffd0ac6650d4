"""Browsers that are away to consent, and how they are met by whichever process they come back to.

1. The process that a browser leaves from writes a row: it waits for this state.
2. The one that it comes back to keeps what it brings, sealed, in that row, and waits for the end.
3. The first one finds it there, fetches the tokens, and writes how it ended.

A process that dies meanwhile leaves a row that nobody waits for: the browser is told so, and the person starts again.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from pydantic import Field

from libs.contracts.errors import Rejected
from libs.contracts.model import Published
from libs.crypto.keyring import Sealer
from libs.database.port import Database
from libs.runtime.clock import Clock
from services.ingest.ports import Store

CONSENT_SECONDS: Final = 600.0
"""Seconds a person has in the browser. Providers' codes live five to ten minutes; an older tab is a forgotten one."""

ENDED_SECONDS: Final = 40.0
"""Seconds that a browser waits for the end: the call that fetches the tokens may take thirty."""

LOOK_SECONDS: Final = 0.25
"""Seconds between looks at a row. A person does not notice, and a look is one indexed read."""

AWAY_MAX: Final = 16
"""Browsers of one workspace that are away at once. Each is a person; more is a mistake or an attack."""

_PLACE: Final = {"table": "ingest.mcp_return", "column": "sealed"}


class Brought(Published):
    """What a browser brings back: a code, or none when its person said no, and who says so (RFC 9207)."""

    code: str | None = Field(repr=False)
    iss: str | None


@dataclass(frozen=True)
class Returns:
    """The browsers of all workspaces."""

    database: Database
    store: Store
    sealer: Sealer
    clock: Clock

    async def expect(self, workspace: UUID, state: str) -> None:
        """A browser leaves with this state.

        Raises:
            Rejected: `too_many_consents` when too many of the workspace are away.
        """
        now = self.clock.now()
        until = now + timedelta(seconds=CONSENT_SECONDS)
        async with self.database.transaction(workspace) as tx:
            kept = await self.store.mcp_returns.expect(tx, _sha256(state), now=now, until=until, limit=AWAY_MAX)
        if not kept:
            raise Rejected("Too many consents are under way; try again later.", code="too_many_consents")

    async def brought(self, workspace: UUID, state: str, showing: asyncio.Future[None]) -> Brought:
        """Wait for the browser, and give what it brings.

        Args:
            workspace: Whose.
            state: What it left with.
            showing: Shows a person where to go; when that fails, nobody comes back.

        Raises:
            Rejected: `consent_expired` when nobody came back.
        """
        give_up_at = self.clock.now() + timedelta(seconds=CONSENT_SECONDS)
        while self.clock.now() < give_up_at:
            async with self.database.transaction(workspace) as tx:
                sealed = await self.store.mcp_returns.brought(tx, _sha256(state))
            if sealed is not None:
                seal = await self.sealer.of(workspace)
                return Brought.model_validate_json(seal.open(sealed, row=_sha256(state).hex(), **_PLACE))
            if showing.done():
                showing.result()
            await self.clock.sleep(LOOK_SECONDS)
        raise Rejected("Nobody came back from the consent page in time.", code="consent_expired")

    async def end(self, workspace: UUID, state: str, ending: str) -> None:
        """Say to the browser how it ended."""
        async with self.database.transaction(workspace) as tx:
            await self.store.mcp_returns.end(tx, _sha256(state), ending)

    async def come_back(self, workspace: UUID, state: str, brought: Brought) -> bool:
        """Take in what a browser of this workspace brings; False when nobody waits for it, or it came before."""
        seal = await self.sealer.of(workspace)
        sealed = seal.seal(brought.model_dump_json().encode(), row=_sha256(state).hex(), **_PLACE)
        async with self.database.transaction(workspace) as tx:
            return await self.store.mcp_returns.bring(tx, _sha256(state), sealed, now=self.clock.now())

    async def ending(self, workspace: UUID, state: str) -> str | None:
        """How it ended, waited for a while; None when nobody says so."""
        give_up_at = self.clock.now() + timedelta(seconds=ENDED_SECONDS)
        while self.clock.now() < give_up_at:
            async with self.database.transaction(workspace) as tx:
                ending = await self.store.mcp_returns.take_ending(tx, _sha256(state))
            if ending is not None:
                return ending
            await self.clock.sleep(LOOK_SECONDS)
        return None


def _sha256(state: str) -> bytes:
    return hashlib.sha256(state.encode()).digest()
