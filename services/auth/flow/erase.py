"""Erases a workspace: its consents end, and its keys are destroyed, so that nothing that was sealed opens again.

1. Each connection is ended at its provider, as long as there are tokens to do it with. A provider that does not answer
   does not hold the erasure up; it is named, and a person removes Well there.
2. In one transaction the workspace is marked erased and its keys, connections, tickets and programs are deleted.
   From here on nobody gets its keys, and none are made again.
3. The log says so, among what belongs to no workspace, since nothing can be sealed for this one any more.

Each step can be done again: an erasure that was cut short is finished by asking for it once more. Processes that run
forget the keys within `libs.crypto.keyring.KEYS_KEPT`; what they seal until then opens as little as the rest. After
`FORGOTTEN_AFTER` each service deletes its rows (`libs/database/forget.py`), and ingest the documents.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from libs.contracts.envelope import enveloped
from libs.contracts.errors import Rejected, Stale, WellError
from libs.contracts.events import WorkspaceErased
from libs.contracts.identity import Provider, derived_id
from libs.crypto.bearer import INSTALLATION
from libs.crypto.keyring import KEYS_KEPT
from libs.database.port import Database
from libs.eventlog.port import EventLog
from libs.runtime.clock import Clock
from libs.runtime.crashpoints import crashpoint
from services.auth.domain.connection import TITLES
from services.auth.flow.disconnect import Disconnecting
from services.auth.flow.keyring import DEFAULT_REGION
from services.auth.ports import AuthStore

_PROVIDERS: Final[tuple[Provider, ...]] = ("xero", "qonto")


@dataclass(frozen=True)
class Erased:
    """What an erasure left for a person to do.

    Attributes:
        not_told: A sentence for each provider that could not be told.
    """

    not_told: tuple[str, ...]


FORGOTTEN_AFTER: Final = 2 * KEYS_KEPT
"""How long after an erasure services delete their rows: no process has the keys any more, so that none adds another."""


class Erasing:
    """The ends of workspaces."""

    def __init__(
        self, *, database: Database, store: AuthStore, log: EventLog, disconnecting: Disconnecting, clock: Clock
    ) -> None:
        self._database = database
        self._store = store
        self._log = log
        self._disconnecting = disconnecting
        self._clock = clock

    async def erase(self, workspace: UUID) -> Erased:
        """Erase a workspace, for ever. Doing it again does nothing more.

        Raises:
            Rejected: `no_such_workspace` when nothing is known of it, or it is none of a customer's.
            Transient: The database does not answer; ask again.
        """
        async with self._database.transaction(workspace) as tx:
            erased = await self._store.is_erased(tx)
            known = bool(await self._store.keys(tx))
        if workspace == INSTALLATION or not (erased or known):
            raise Rejected("There is no such workspace here.", code="no_such_workspace")
        not_told = () if erased else await self._end_consents(workspace)
        now = self._clock.now()
        crashpoint("auth.before_erased")
        async with self._database.transaction(workspace) as tx:
            await self._store.know(tx, DEFAULT_REGION, now)
            await self._store.erase(tx, now)
        crashpoint("auth.after_erased")
        said = enveloped(
            WorkspaceErased(erased=workspace),
            workspace=INSTALLATION,
            record=f"workspace/{workspace}",
            cause=derived_id("erased", workspace),
            occurred_at=now,
        )
        with contextlib.suppress(Stale):  # it was said before
            async with self._database.transaction(INSTALLATION) as tx:
                await self._log.append(tx, [said])
        structlog.get_logger().warning("auth.erased", workspace=str(workspace))
        return Erased(not_told)

    async def erased(self) -> list[UUID]:
        """The workspaces of which services delete what they keep.

        Raises:
            Transient: The database does not answer.
        """
        async with self._database.transaction(INSTALLATION) as tx:
            return await self._store.erased_workspaces(tx, before=self._clock.now() - FORGOTTEN_AFTER)

    async def _end_consents(self, workspace: UUID) -> tuple[str, ...]:
        not_told = []
        for provider in _PROVIDERS:
            try:
                await self._disconnecting.disconnect(workspace, provider)
            except WellError as error:
                not_told.append(f"{TITLES[provider]} was not told: {error.sentence}")
        return tuple(not_told)
